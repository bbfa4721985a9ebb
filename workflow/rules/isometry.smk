# Depth and the Fisher information of one input: measured, judged, drawn.

from dynparam.experiments.isometry.settings import for_isometry, for_isometry_trials


rule measure_isometry:
    output:
        measured=f"{RESULTS}/isometry/measured.csv",
        sidecar=f"{RESULTS}/isometry/measured.json",
    params:
        code=code("measure_isometry"),
        settings=lambda wildcards: for_isometry_trials(CONFIG).model_dump_json(),
    log:
        f"{LOGS}/measure_isometry.log",
    benchmark:
        f"{BENCHMARKS}/measure_isometry.tsv"
    threads: 1
    resources:
        **needs("measure_isometry"),
    message:
        "Measuring the Fisher information of deep networks"
    shell:
        "dynparam isometry measure --config only={params.settings:q} --threads {threads}"
        " --output {output.measured:q} > {log:q} 2>&1"


use rule compare_slopes as judge_isometry with:
    input:
        results("isometry/measured.csv"),
    output:
        marked_table("isometry/verdicts"),
    params:
        code=code("judge_isometry"),
        settings=lambda wildcards: for_isometry(CONFIG).model_dump_json(),
        command="isometry judge",
    log:
        f"{LOGS}/judge_isometry.log",
    benchmark:
        f"{BENCHMARKS}/judge_isometry.tsv"
    resources:
        **needs("judge_isometry"),
    message:
        "Judging the Fisher information of deep networks"


use rule plot_architecture as plot_isometry with:
    wildcard_constraints:
        figure=any_of([CONFIG.isometry.figure]),
    params:
        code=code("plot_isometry"),
        settings=lambda wildcards: for_isometry(CONFIG).model_dump_json(),
        command=f"isometry --results {RESULTS}",
    log:
        f"{LOGS}/plot_isometry/{{figure}}.log",
    benchmark:
        f"{BENCHMARKS}/plot_isometry/{{figure}}.tsv"
    resources:
        **needs("plot_isometry"),
