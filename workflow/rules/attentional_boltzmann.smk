# Attentional Boltzmann machines: trained, judged, drawn.

from dynparam.experiments.attentional_boltzmann.settings import (
    for_boltzmann,
    for_boltzmann_trials,
)


rule measure_attention:
    output:
        measured=f"{RESULTS}/attentional_boltzmann/measured.csv",
        sidecar=f"{RESULTS}/attentional_boltzmann/measured.json",
    params:
        code=code("measure_attention"),
        settings=lambda wildcards: for_boltzmann_trials(CONFIG).model_dump_json(),
    log:
        f"{LOGS}/measure_attention.log",
    benchmark:
        f"{BENCHMARKS}/measure_attention.tsv"
    threads: 1
    resources:
        **needs("measure_attention"),
    message:
        "Training attentional Boltzmann machines"
    shell:
        "dynparam attention measure --config only={params.settings:q} --threads {threads}"
        " --output {output.measured:q} > {log:q} 2>&1"


use rule compare_slopes as judge_attention with:
    input:
        results("attentional_boltzmann/measured.csv"),
    output:
        marked_table("attentional_boltzmann/verdicts"),
    params:
        code=code("judge_attention"),
        settings=lambda wildcards: for_boltzmann(CONFIG).model_dump_json(),
        command="attention judge",
    log:
        f"{LOGS}/judge_attention.log",
    benchmark:
        f"{BENCHMARKS}/judge_attention.tsv"
    resources:
        **needs("judge_attention"),
    message:
        "Judging what attentional Boltzmann machines learn"


use rule plot_architecture as plot_attention with:
    wildcard_constraints:
        figure=any_of([CONFIG.attentional_boltzmann.figure]),
    params:
        code=code("plot_attention"),
        settings=lambda wildcards: for_boltzmann(CONFIG).model_dump_json(),
        command=f"attention --results {RESULTS}",
    log:
        f"{LOGS}/plot_attention/{{figure}}.log",
    benchmark:
        f"{BENCHMARKS}/plot_attention/{{figure}}.tsv"
    resources:
        **needs("plot_attention"),
