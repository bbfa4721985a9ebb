# Figs. 3.4 and 3.5: the claims on training curves, the curves, and other networks.

from dynparam.experiments.training_curves.settings import for_claims


use rule compare_slopes as judge_claims with:
    input:
        results(
            "training/{task}/{parametrization}.csv",
            task=CONFIG.figures.training.values(),
            parametrization=CONFIG.training.parametrizations,
        ),
    output:
        marked_table("comparison/claims"),
    params:
        code=code("judge_claims"),
        settings=lambda wildcards: for_claims(CONFIG).model_dump_json(),
        command="claims",
    log:
        f"{LOGS}/judge_claims.log",
    benchmark:
        f"{BENCHMARKS}/judge_claims.tsv"
    resources:
        **needs("judge_claims"),
    message:
        "Judging the claims on training curves"


use rule plot_architecture as plot_curves with:
    wildcard_constraints:
        figure=any_of(CONFIG.figures.training),
    params:
        code=code("plot_curves"),
        settings=lambda wildcards: for_claims(CONFIG).model_dump_json(),
        command=lambda wildcards: f"curves {wildcards.figure} --results {RESULTS}",
    log:
        f"{LOGS}/plot_curves/{{figure}}.log",
    benchmark:
        f"{BENCHMARKS}/plot_curves/{{figure}}.tsv"
    resources:
        **needs("plot_curves"),


use rule plot_architecture as plot_domain with:
    wildcard_constraints:
        figure=any_of([CONFIG.figures.domain] if CONFIG.figures.domain else []),
    params:
        code=code("plot_domain"),
        settings=lambda wildcards: for_claims(CONFIG).model_dump_json(),
        command=f"domain --results {RESULTS}",
    log:
        f"{LOGS}/plot_domain/{{figure}}.log",
    benchmark:
        f"{BENCHMARKS}/plot_domain/{{figure}}.tsv"
    resources:
        **needs("plot_domain"),
