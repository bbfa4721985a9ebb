# Invented coins: tossed, judged, drawn.

from dynparam.experiments.coin.settings import for_judgement, for_tosses


rule toss_coin:
    output:
        tosses=f"{RESULTS}/coin/tosses/{{name}}.csv",
        sidecar=f"{RESULTS}/coin/tosses/{{name}}.json",
    wildcard_constraints:
        name=any_of(CONFIG.coin.shares),
    params:
        code=code("toss_coin"),
        settings=lambda wildcards: for_tosses(CONFIG, wildcards.name).model_dump_json(),
    log:
        f"{LOGS}/toss_coin/{{name}}.log",
    benchmark:
        f"{BENCHMARKS}/toss_coin/{{name}}.tsv"
    threads: 1
    resources:
        **needs("toss_coin"),
    message:
        "Tossing {wildcards.name}"
    shell:
        "dynparam coin toss {wildcards.name} --config only={params.settings:q}"
        " --output {output.tosses:q} 2>&1 | tee {log:q} >&2"


use rule compare_slopes as judge_coins with:
    input:
        results("coin/tosses/{name}.csv", name=CONFIG.coin.shares),
    output:
        marked_table("coin/shares"),
    params:
        code=code("judge_coins"),
        settings=lambda wildcards: for_judgement(CONFIG).model_dump_json(),
        command="coin judge",
    log:
        f"{LOGS}/judge_coins.log",
    benchmark:
        f"{BENCHMARKS}/judge_coins.tsv"
    resources:
        **needs("judge_coins"),
    message:
        "Judging the coins"


use rule plot_architecture as plot_coins with:
    wildcard_constraints:
        figure=any_of([CONFIG.coin.figure]),
    params:
        code=code("plot_coins"),
        settings=lambda wildcards: for_judgement(CONFIG).model_dump_json(),
        command=f"coins --results {RESULTS}",
    log:
        f"{LOGS}/plot_coins/{{figure}}.log",
    benchmark:
        f"{BENCHMARKS}/plot_coins/{{figure}}.tsv"
    resources:
        **needs("plot_coins"),
