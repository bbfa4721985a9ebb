# Measured orders of sizes and updates: Table 1.1, and the conditions of Secs. 2.2 and 2.3.

from dynparam.experiments.measured_orders.settings import for_exponents, for_orders


use rule probe_alignment as probe_orders with:
    output:
        trials=f"{RESULTS}/exponents/{{parametrization}}_{{family}}.csv",
        sidecar=f"{RESULTS}/exponents/{{parametrization}}_{{family}}.json",
    wildcard_constraints:
        parametrization=any_of(CONFIG.exponents.parametrizations),
        family=any_of(CONFIG.exponents.families),
    params:
        settings=lambda wildcards: for_exponents(
            CONFIG, wildcards.parametrization, wildcards.family
        ).model_dump_json(),
        command=lambda wildcards: f"{wildcards.parametrization}_{wildcards.family} --engine law",
    log:
        f"{LOGS}/probe_orders/{{parametrization}}_{{family}}.log",
    benchmark:
        f"{BENCHMARKS}/probe_orders/{{parametrization}}_{{family}}.tsv"
    threads: 1
    resources:
        **needs("probe_orders"),
    message:
        "Measuring the orders of {wildcards.parametrization}, {wildcards.family}"


use rule compare_slopes as judge_table1_1 with:
    input:
        results_of("table1_1"),
    output:
        marked_table("table1_1/table1_1"),
    params:
        code=code("judge_table1_1"),
        settings=lambda wildcards: for_orders(CONFIG).model_dump_json(),
        command="table",
    log:
        f"{LOGS}/judge_table1_1.log",
    benchmark:
        f"{BENCHMARKS}/judge_table1_1.tsv"
    resources:
        **needs("judge_table1_1"),
    message:
        "Judging Table 1.1"


use rule plot_architecture as plot_table1_1 with:
    wildcard_constraints:
        figure="table1_1",
    params:
        code=code("plot_table1_1"),
        settings=lambda wildcards: for_orders(CONFIG).model_dump_json(),
        command=f"table --results {RESULTS}",
    log:
        f"{LOGS}/plot_table1_1/{{figure}}.log",
    benchmark:
        f"{BENCHMARKS}/plot_table1_1/{{figure}}.tsv"
    resources:
        **needs("plot_table1_1"),


use rule plot_architecture as plot_conditions with:
    wildcard_constraints:
        figure="conditions",
    params:
        code=code("plot_conditions"),
        settings=lambda wildcards: for_orders(CONFIG).model_dump_json(),
        command=f"conditions --results {RESULTS}",
    log:
        f"{LOGS}/plot_conditions/{{figure}}.log",
    benchmark:
        f"{BENCHMARKS}/plot_conditions/{{figure}}.tsv"
    resources:
        **needs("plot_conditions"),
