# Measured orders of sizes and updates: Table 1.1, and the conditions of Secs. 2.2 and 2.3.

ORDERS = expand(
    f"{RESULTS}/exponents/{{parametrization}}_{{family}}.csv",
    parametrization=CONFIG.exponents.parametrizations,
    family=CONFIG.exponents.families,
)
# Standard parametrization has no line in Table 1.1.
TABLE_ORDERS = [path for path in ORDERS if "/standard_" not in path]
TABLE1_1 = expand(
    f"{RESULTS}/table1_1/table1_1.{{kind}}", kind=["csv", "md", "html", "json"]
)
TABLE1_1_FIGURE = figure_files("table1_1")
CONDITIONS_FIGURE = figure_files("conditions")


rule judge_table1_1:
    input:
        TABLE_ORDERS,
    output:
        shown(TABLE1_1, "table1_1"),
    params:
        code=stage_digest("judge_table1_1"),
        settings=lambda wildcards: for_orders(CONFIG).model_dump_json(),
    log:
        f"{LOGS}/judge_table1_1.log",
    benchmark:
        f"{BENCHMARKS}/judge_table1_1.tsv"
    threads: 1
    resources:
        **needs("judge_table1_1"),
    message:
        "Judging Table 1.1"
    shell:
        "dynparam table --config {params.settings:q} --results {RESULTS:q}"
        " --output {output[0]:q} 2>&1 | tee {log:q} >&2"


rule plot_table1_1:
    input:
        TABLE_ORDERS,
    output:
        png=report(
            TABLE1_1_FIGURE[0],
            caption="../report/table1_1.rst",
            category="Figures",
        ),
        pdf=TABLE1_1_FIGURE[1],
        data=TABLE1_1_FIGURE[2],
        sidecar=TABLE1_1_FIGURE[3],
    params:
        code=stage_digest("plot_table1_1"),
        settings=lambda wildcards: for_orders(CONFIG).model_dump_json(),
    log:
        f"{LOGS}/plot_table1_1.log",
    benchmark:
        f"{BENCHMARKS}/plot_table1_1.tsv"
    threads: 1
    resources:
        **needs("plot_table1_1"),
    message:
        "Drawing Table 1.1"
    shell:
        "dynparam plot table --config {params.settings:q} --results {RESULTS:q}"
        " --output {output.png:q} 2>&1 | tee {log:q} >&2"


rule plot_conditions:
    input:
        ORDERS,
    output:
        png=report(
            CONDITIONS_FIGURE[0],
            caption="../report/conditions.rst",
            category="Figures",
        ),
        pdf=CONDITIONS_FIGURE[1],
        data=CONDITIONS_FIGURE[2],
        sidecar=CONDITIONS_FIGURE[3],
    params:
        code=stage_digest("plot_conditions"),
        settings=lambda wildcards: for_orders(CONFIG).model_dump_json(),
    log:
        f"{LOGS}/plot_conditions.log",
    benchmark:
        f"{BENCHMARKS}/plot_conditions.tsv"
    threads: 1
    resources:
        **needs("plot_conditions"),
    message:
        "Drawing which conditions hold"
    shell:
        "dynparam plot conditions --config {params.settings:q} --results {RESULTS:q}"
        " --output {output.png:q} 2>&1 | tee {log:q} >&2"
