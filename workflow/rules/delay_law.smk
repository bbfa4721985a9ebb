# Steps until the loss is halved behind bottlenecks: networks trained, judged, drawn.

from dynparam.experiments.delay_law.settings import (
    DelayTrials,
    for_delays,
    part_names,
)
from dynparam.settings.base import pick


rule measure_delays:
    output:
        trials=f"{RESULTS}/delay_law/{{part}}.csv",
        sidecar=f"{RESULTS}/delay_law/{{part}}.json",
    wildcard_constraints:
        part=any_of(part_names(CONFIG.delay_law)),
    params:
        code=code("measure_delays"),
        settings=lambda wildcards: pick(DelayTrials, CONFIG).model_dump_json(),
    log:
        f"{LOGS}/measure_delays/{{part}}.log",
    benchmark:
        f"{BENCHMARKS}/measure_delays/{{part}}.tsv"
    threads: 1
    resources:
        **needs("measure_delays"),
    message:
        "Measuring delays behind bottlenecks, {wildcards.part}"
    shell:
        "dynparam delay measure {wildcards.part} --config only={params.settings:q} --threads {threads}"
        " --output {output.trials:q} > {log:q} 2>&1"


use rule compare_slopes as judge_delays with:
    input:
        results("delay_law/{part}.csv", part=part_names(CONFIG.delay_law)),
    output:
        marked_table("delay_law/verdicts"),
    params:
        code=code("judge_delays"),
        settings=lambda wildcards: for_delays(CONFIG).model_dump_json(),
        command="delay judge",
    log:
        f"{LOGS}/judge_delays.log",
    benchmark:
        f"{BENCHMARKS}/judge_delays.tsv"
    resources:
        **needs("judge_delays"),
    message:
        "Judging delays behind bottlenecks"


use rule plot_architecture as plot_delays with:
    wildcard_constraints:
        figure=any_of([CONFIG.delay_law.figure]),
    params:
        code=code("plot_delays"),
        settings=lambda wildcards: for_delays(CONFIG).model_dump_json(),
        command=f"delay --results {RESULTS}",
    log:
        f"{LOGS}/plot_delays/{{figure}}.log",
    benchmark:
        f"{BENCHMARKS}/plot_delays/{{figure}}.tsv"
    resources:
        **needs("plot_delays"),
