# Softmax and the Fisher information: eigenvalues measured, judged, drawn.

from dynparam.experiments.softmax_fisher.settings import for_softmax, for_softmax_trials


rule measure_softmax:
    input:
        images=f"{DATA}/processed/{CONFIG.softmax_fisher.pair}.npz",
    output:
        eigenvalues=f"{RESULTS}/softmax_fisher/eigenvalues.csv",
        sidecar=f"{RESULTS}/softmax_fisher/eigenvalues.json",
    params:
        code=code("measure_softmax"),
        settings=lambda wildcards: for_softmax_trials(CONFIG).model_dump_json(),
    log:
        f"{LOGS}/measure_softmax.log",
    benchmark:
        f"{BENCHMARKS}/measure_softmax.tsv"
    threads: 1
    resources:
        **needs("measure_softmax"),
    message:
        "Measuring the Fisher information of softmax"
    shell:
        "dynparam softmax measure --config only={params.settings:q} --threads {threads}"
        " --images {input.images:q} --output {output.eigenvalues:q} > {log:q} 2>&1"


use rule compare_slopes as judge_softmax with:
    input:
        results("softmax_fisher/eigenvalues.csv"),
    output:
        marked_table("softmax_fisher/verdicts"),
    params:
        code=code("judge_softmax"),
        settings=lambda wildcards: for_softmax(CONFIG).model_dump_json(),
        command="softmax judge",
    log:
        f"{LOGS}/judge_softmax.log",
    benchmark:
        f"{BENCHMARKS}/judge_softmax.tsv"
    resources:
        **needs("judge_softmax"),
    message:
        "Judging the Fisher information of softmax"


use rule plot_architecture as plot_softmax with:
    wildcard_constraints:
        figure=any_of([CONFIG.softmax_fisher.figure]),
    params:
        code=code("plot_softmax"),
        settings=lambda wildcards: for_softmax(CONFIG).model_dump_json(),
        command=f"softmax --results {RESULTS}",
    log:
        f"{LOGS}/plot_softmax/{{figure}}.log",
    benchmark:
        f"{BENCHMARKS}/plot_softmax/{{figure}}.tsv"
    resources:
        **needs("plot_softmax"),
