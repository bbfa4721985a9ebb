# Weight decay and the size of updates in training: judged, drawn. The curves are those of arms.

from dynparam.experiments.weight_decay.settings import for_decay

DECAYED = [f"{RESULTS}/arms/{place}.csv" for place in for_decay(CONFIG).places()]


use rule compare_slopes as judge_decay with:
    input:
        DECAYED,
    output:
        marked_table("weight_decay/verdicts"),
    params:
        code=code("judge_decay"),
        settings=lambda wildcards: for_decay(CONFIG).model_dump_json(),
        command="decay judge",
    log:
        f"{LOGS}/judge_decay.log",
    benchmark:
        f"{BENCHMARKS}/judge_decay.tsv"
    resources:
        **needs("judge_decay"),
    message:
        "Judging weight decay and sizes of updates"


use rule plot_architecture as plot_decay with:
    wildcard_constraints:
        figure=any_of([CONFIG.weight_decay.figure]),
    params:
        code=code("plot_decay"),
        settings=lambda wildcards: for_decay(CONFIG).model_dump_json(),
        command=f"decay --results {RESULTS}",
    log:
        f"{LOGS}/plot_decay/{{figure}}.log",
    benchmark:
        f"{BENCHMARKS}/plot_decay/{{figure}}.tsv"
    resources:
        **needs("plot_decay"),
