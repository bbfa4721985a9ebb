# Local receptive fields: networks with windows or correlated weights on disturbed images, judged, drawn.

from dynparam.experiments.receptive_fields.settings import for_field_trials, for_fields


rule measure_fields:
    input:
        images=f"{DATA}/processed/{{field_pair}}.npz",
    output:
        measured=f"{RESULTS}/receptive_fields/{{field_pair}}.csv",
        sidecar=f"{RESULTS}/receptive_fields/{{field_pair}}.json",
    wildcard_constraints:
        field_pair=any_of(CONFIG.receptive_fields.pairs),
    params:
        code=code("measure_fields"),
        settings=lambda wildcards: for_field_trials(
            CONFIG, wildcards.field_pair
        ).model_dump_json(),
    log:
        f"{LOGS}/measure_fields/{{field_pair}}.log",
    benchmark:
        f"{BENCHMARKS}/measure_fields/{{field_pair}}.tsv"
    threads: 1
    resources:
        **needs("measure_fields"),
    message:
        "Disturbing images of {wildcards.field_pair} before networks with windows"
    shell:
        "dynparam fields measure {wildcards.field_pair} --config only={params.settings:q}"
        " --threads {threads} --images {input.images:q} --output {output.measured:q}"
        " > {log:q} 2>&1"


use rule compare_slopes as judge_fields with:
    input:
        results("receptive_fields/{pair}.csv", pair=CONFIG.receptive_fields.pairs),
    output:
        marked_table("receptive_fields/verdicts"),
    params:
        code=code("judge_fields"),
        settings=lambda wildcards: for_fields(CONFIG).model_dump_json(),
        command="fields judge",
    log:
        f"{LOGS}/judge_fields.log",
    benchmark:
        f"{BENCHMARKS}/judge_fields.tsv"
    resources:
        **needs("judge_fields"),
    message:
        "Judging what windows and correlated weights withstand"


use rule plot_architecture as plot_fields with:
    wildcard_constraints:
        figure=any_of([CONFIG.receptive_fields.figure]),
    params:
        code=code("plot_fields"),
        settings=lambda wildcards: for_fields(CONFIG).model_dump_json(),
        command=f"fields --results {RESULTS}",
    log:
        f"{LOGS}/plot_fields/{{figure}}.log",
    benchmark:
        f"{BENCHMARKS}/plot_fields/{{figure}}.tsv"
    resources:
        **needs("plot_fields"),
