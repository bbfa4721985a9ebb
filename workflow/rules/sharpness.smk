# Sharpness: against width, with normalized outputs, and as the edge of stable learning rates.

from dynparam.experiments.sharpness.settings import (
    for_normalization,
    for_rates,
    for_verdicts,
    for_widths,
)


rule sharpness_of_widths:
    input:
        images=f"{DATA}/processed/{CONFIG.probe.pair}.npz",
    output:
        table=f"{RESULTS}/sharpness/widths.csv",
        limits=f"{RESULTS}/sharpness/limits.csv",
        sidecar=f"{RESULTS}/sharpness/widths.json",
    params:
        code=code("sharpness_of_widths"),
        settings=lambda wildcards: for_widths(
            CONFIG, CONFIG.probe.pair
        ).model_dump_json(),
        command="widths",
    log:
        f"{LOGS}/sharpness_of_widths/widths.log",
    benchmark:
        f"{BENCHMARKS}/sharpness_of_widths/widths.tsv"
    threads: 1
    resources:
        **needs("sharpness_of_widths"),
    message:
        "Measuring sharpness against width"
    shell:
        "dynparam sharpness {params.command} --config only={params.settings:q} --threads {threads}"
        " --images {input.images:q} --output {output.table:q} > {log:q} 2>&1"


use rule sharpness_of_widths as sharpness_of_rates with:
    output:
        table=f"{RESULTS}/sharpness/rates.csv",
        sidecar=f"{RESULTS}/sharpness/rates.json",
    params:
        code=code("sharpness_of_rates"),
        settings=lambda wildcards: for_rates(
            CONFIG, CONFIG.probe.pair
        ).model_dump_json(),
        command="rates",
    log:
        f"{LOGS}/sharpness_of_rates/rates.log",
    benchmark:
        f"{BENCHMARKS}/sharpness_of_rates/rates.tsv"
    resources:
        **needs("sharpness_of_rates"),
    message:
        "Finding the largest stable learning rates"


rule sharpness_of_normalization:
    output:
        table=f"{RESULTS}/sharpness/normalization.csv",
        sidecar=f"{RESULTS}/sharpness/normalization.json",
    params:
        code=code("sharpness_of_normalization"),
        settings=lambda wildcards: for_normalization(CONFIG).model_dump_json(),
    log:
        f"{LOGS}/sharpness_of_normalization/normalization.log",
    benchmark:
        f"{BENCHMARKS}/sharpness_of_normalization/normalization.tsv"
    threads: 1
    resources:
        **needs("sharpness_of_normalization"),
    message:
        "Measuring the sharpness of normalized outputs"
    shell:
        "dynparam sharpness normalization --config only={params.settings:q} --threads {threads}"
        " --output {output.table:q} > {log:q} 2>&1"


use rule compare_slopes as judge_sharpness with:
    input:
        results(
            "sharpness/{name}.csv",
            name=["widths", "limits", "normalization", "rates"],
        ),
    output:
        marked_table("sharpness/verdicts"),
        f"{RESULTS}/sharpness/thesis.csv",
    params:
        code=code("judge_sharpness"),
        settings=lambda wildcards: for_verdicts(CONFIG).model_dump_json(),
        command="sharpness judge",
    log:
        f"{LOGS}/judge_sharpness.log",
    benchmark:
        f"{BENCHMARKS}/judge_sharpness.tsv"
    resources:
        **needs("judge_sharpness"),
    message:
        "Judging sharpness"


use rule plot_architecture as plot_sharpness with:
    wildcard_constraints:
        figure=any_of([CONFIG.sharpness.figure]),
    params:
        code=code("plot_sharpness"),
        settings=lambda wildcards: for_verdicts(CONFIG).model_dump_json(),
        command=f"sharpness --results {RESULTS}",
    log:
        f"{LOGS}/plot_sharpness/{{figure}}.log",
    benchmark:
        f"{BENCHMARKS}/plot_sharpness/{{figure}}.tsv"
    resources:
        **needs("plot_sharpness"),
