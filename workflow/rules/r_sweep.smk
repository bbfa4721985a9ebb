# The r-sweep: updates of size m^r, where their gradients grow (thesis, Sec. 2.3.2).

from dynparam.experiments.r_sweep.settings import for_edges, for_sweep


rule sweep_r:
    input:
        images=probe_images,
    output:
        trials=f"{RESULTS}/sweep/{{reference}}.csv",
        sidecar=f"{RESULTS}/sweep/{{reference}}.json",
    wildcard_constraints:
        reference=any_of(CONFIG.sweep.references),
    params:
        code=code("sweep_reference"),
        settings=lambda wildcards: for_sweep(
            CONFIG, wildcards.reference
        ).model_dump_json(),
    log:
        f"{LOGS}/sweep_r/{{reference}}.log",
    benchmark:
        f"{BENCHMARKS}/sweep_r/{{reference}}.tsv"
    threads: 1
    resources:
        **needs("sweep_r"),
    message:
        "Sweeping r for updates of size {wildcards.reference}^r"
    shell:
        "dynparam sweep {wildcards.reference} --config only={params.settings:q} --threads {threads}"
        " --images {input.images:q} --output {output.trials:q} > {log:q} 2>&1"


rule find_edges:
    input:
        results("sweep/{reference}.csv", reference=CONFIG.sweep.references),
    output:
        edges=report(
            f"{RESULTS}/sweep/edges.csv",
            caption=str(caption_file("edges")),
            category="Tables",
        ),
        exponents=f"{RESULTS}/sweep/exponents.csv",
        sidecar=f"{RESULTS}/sweep/edges.json",
    params:
        code=code("find_edges"),
        settings=lambda wildcards: for_edges(CONFIG).model_dump_json(),
    log:
        f"{LOGS}/find_edges/edges.log",
    benchmark:
        f"{BENCHMARKS}/find_edges/edges.tsv"
    threads: 1
    resources:
        **needs("find_edges"),
    message:
        "Finding where gradients start to grow"
    shell:
        "dynparam edges --config only={params.settings:q} --results {RESULTS:q}"
        " --output {output.edges:q} > {log:q} 2>&1"


use rule plot_architecture as plot_sweep with:
    wildcard_constraints:
        figure=any_of([CONFIG.figures.sweep] if CONFIG.figures.sweep else []),
    params:
        code=code("plot_sweep"),
        settings=lambda wildcards: for_edges(CONFIG).model_dump_json(),
        command=f"sweep --results {RESULTS}",
    log:
        f"{LOGS}/plot_sweep/{{figure}}.log",
    benchmark:
        f"{BENCHMARKS}/plot_sweep/{{figure}}.tsv"
    resources:
        **needs("plot_sweep"),
