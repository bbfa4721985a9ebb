# Continual learning: errors of tasks in a row measured, judged, drawn.

from dynparam.experiments.continual_learning.settings import (
    for_continual,
    for_continual_trials,
)


rule measure_continual:
    input:
        images=f"{DATA}/processed/{CONFIG.continual_learning.images.pair}.npz",
    output:
        errors=f"{RESULTS}/continual_learning/errors.csv",
        expected=f"{RESULTS}/continual_learning/expected.csv",
        sidecar=f"{RESULTS}/continual_learning/errors.json",
    params:
        code=code("measure_continual"),
        settings=lambda wildcards: for_continual_trials(CONFIG).model_dump_json(),
    log:
        f"{LOGS}/measure_continual.log",
    benchmark:
        f"{BENCHMARKS}/measure_continual.tsv"
    threads: 1
    resources:
        **needs("measure_continual"),
    message:
        "Training on one task after another"
    shell:
        "dynparam continual measure --config only={params.settings:q} --threads {threads}"
        " --images {input.images:q} --output {output.errors:q} > {log:q} 2>&1"


use rule compare_slopes as judge_continual with:
    input:
        results("continual_learning/{table}.csv", table=["errors", "expected"]),
    output:
        marked_table("continual_learning/verdicts"),
    params:
        code=code("judge_continual"),
        settings=lambda wildcards: for_continual(CONFIG).model_dump_json(),
        command="continual judge",
    log:
        f"{LOGS}/judge_continual.log",
    benchmark:
        f"{BENCHMARKS}/judge_continual.tsv"
    resources:
        **needs("judge_continual"),
    message:
        "Judging what one task after another learns"


use rule plot_architecture as plot_continual with:
    wildcard_constraints:
        figure=any_of([CONFIG.continual_learning.figure]),
    params:
        code=code("plot_continual"),
        settings=lambda wildcards: for_continual(CONFIG).model_dump_json(),
        command=f"continual --results {RESULTS}",
    log:
        f"{LOGS}/plot_continual/{{figure}}.log",
    benchmark:
        f"{BENCHMARKS}/plot_continual/{{figure}}.tsv"
    resources:
        **needs("plot_continual"),
