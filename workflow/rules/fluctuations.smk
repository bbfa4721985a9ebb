# Fluctuations in narrow layers: random networks drawn, trained seeds compared, both judged and drawn.

from dynparam.experiments.fluctuations.settings import (
    for_fluctuation_trials,
    for_fluctuations,
    for_spread,
)


rule measure_fluctuations:
    output:
        trials=f"{RESULTS}/fluctuations/trials.csv",
        sidecar=f"{RESULTS}/fluctuations/trials.json",
    params:
        code=code("measure_fluctuations"),
        settings=lambda wildcards: for_fluctuation_trials(CONFIG).model_dump_json(),
    log:
        f"{LOGS}/measure_fluctuations.log",
    benchmark:
        f"{BENCHMARKS}/measure_fluctuations.tsv"
    threads: 1
    resources:
        **needs("measure_fluctuations"),
    message:
        "Drawing random networks"
    shell:
        "dynparam fluctuations measure --config only={params.settings:q} --threads {threads}"
        " --output {output.trials:q} > {log:q} 2>&1"


rule spread_of_seeds:
    input:
        [f"{RESULTS}/training/{name}.csv" for name in RUNS],
    output:
        spread=f"{RESULTS}/fluctuations/spread.csv",
        sidecar=f"{RESULTS}/fluctuations/spread.json",
    params:
        code=code("spread_of_seeds"),
        settings=lambda wildcards: for_spread(CONFIG).model_dump_json(),
    log:
        f"{LOGS}/spread_of_seeds.log",
    benchmark:
        f"{BENCHMARKS}/spread_of_seeds.tsv"
    threads: 1
    resources:
        **needs("spread_of_seeds"),
    message:
        "Comparing trained seeds"
    shell:
        "dynparam fluctuations seeds --config only={params.settings:q} --results {RESULTS:q}"
        " --output {output.spread:q} > {log:q} 2>&1"


use rule compare_slopes as judge_fluctuations with:
    input:
        results("fluctuations/trials.csv"),
        results("fluctuations/spread.csv"),
    output:
        marked_table("fluctuations/verdicts"),
    params:
        code=code("judge_fluctuations"),
        settings=lambda wildcards: for_fluctuations(CONFIG).model_dump_json(),
        command="fluctuations judge",
    log:
        f"{LOGS}/judge_fluctuations.log",
    benchmark:
        f"{BENCHMARKS}/judge_fluctuations.tsv"
    resources:
        **needs("judge_fluctuations"),
    message:
        "Judging fluctuations"


use rule plot_architecture as plot_fluctuations with:
    wildcard_constraints:
        figure=any_of([CONFIG.fluctuations.figure]),
    params:
        code=code("plot_fluctuations"),
        settings=lambda wildcards: for_fluctuations(CONFIG).model_dump_json(),
        command=f"fluctuations --results {RESULTS}",
    log:
        f"{LOGS}/plot_fluctuations/{{figure}}.log",
    benchmark:
        f"{BENCHMARKS}/plot_fluctuations/{{figure}}.tsv"
    resources:
        **needs("plot_fluctuations"),
