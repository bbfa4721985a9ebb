# Each parametrization at its own best learning rate: judged, listed, drawn. Its curves are those of arms.

from dynparam.experiments.best_rate.settings import for_best_rates

RATED = [f"{RESULTS}/arms/{place}.csv" for place in for_best_rates(CONFIG).places()]


use rule compare_slopes as judge_rates with:
    input:
        RATED,
    output:
        marked_table("best_rate/verdicts"),
    params:
        code=code("judge_rates"),
        settings=lambda wildcards: for_best_rates(CONFIG).model_dump_json(),
        command="rates judge",
    log:
        f"{LOGS}/judge_rates.log",
    benchmark:
        f"{BENCHMARKS}/judge_rates.tsv"
    resources:
        **needs("judge_rates"),
    message:
        "Judging schemes at their best rates"


use rule compare_slopes as list_best_rates with:
    input:
        RATED,
    output:
        marked_table("best_rate/best"),
    params:
        code=code("list_best_rates"),
        settings=lambda wildcards: for_best_rates(CONFIG).model_dump_json(),
        command="rates list",
    log:
        f"{LOGS}/list_best_rates.log",
    benchmark:
        f"{BENCHMARKS}/list_best_rates.tsv"
    resources:
        **needs("list_best_rates"),
    message:
        "Listing the best rates"


use rule plot_architecture as plot_rates with:
    wildcard_constraints:
        figure=any_of([CONFIG.best_rate.figure]),
    params:
        code=code("plot_rates"),
        settings=lambda wildcards: for_best_rates(CONFIG).model_dump_json(),
        command=f"rates --results {RESULTS}",
    log:
        f"{LOGS}/plot_rates/{{figure}}.log",
    benchmark:
        f"{BENCHMARKS}/plot_rates/{{figure}}.tsv"
    resources:
        **needs("plot_rates"),
