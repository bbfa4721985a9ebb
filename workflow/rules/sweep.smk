# The r-sweep: updates of size m^r, where their gradients grow (thesis, Sec. 2.3.2).


rule sweep_r:
    input:
        images=probe_images,
    output:
        trials=f"{RESULTS}/sweep/{{reference}}.csv",
        sidecar=f"{RESULTS}/sweep/{{reference}}.json",
    wildcard_constraints:
        reference="|".join(CONFIG.sweep.references),
    params:
        code=stage_digest("sweep_reference"),
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
        "dynparam sweep {wildcards.reference} --config {params.settings:q} --threads {threads}"
        " --images {input.images:q} --output {output.trials:q} 2>&1 | tee {log:q} >&2"


rule find_edges:
    input:
        SWEEPS,
    output:
        edges=report(EDGES, caption="../report/edges.rst", category="Tables"),
        exponents=f"{RESULTS}/sweep/exponents.csv",
        sidecar=f"{RESULTS}/sweep/edges.json",
    params:
        code=stage_digest("find_edges"),
        settings=for_edges(CONFIG).model_dump_json(),
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
        "dynparam edges --config {params.settings:q} --results {RESULTS:q}"
        " --output {output.edges:q} 2>&1 | tee {log:q} >&2"


rule plot_sweep:
    input:
        drawn_from,
    output:
        png=report(
            f"{PICTURES}/{{figure}}.png",
            caption="../report/figure.j2",
            category="Figures",
        ),
        pdf=f"{PICTURES}/{{figure}}.pdf",
        data=f"{PICTURES}/{{figure}}.csv",
        sidecar=f"{PICTURES}/{{figure}}.json",
    wildcard_constraints:
        figure="|".join(SWEEP_FIGURE or ["none"]),
    params:
        code=stage_digest("plot_sweep"),
        settings=for_edges(CONFIG).model_dump_json(),
        caption=caption_of,
    log:
        f"{LOGS}/plot_sweep/{{figure}}.log",
    benchmark:
        f"{BENCHMARKS}/plot_sweep/{{figure}}.tsv"
    threads: 1
    resources:
        **needs("plot_sweep"),
    message:
        "Drawing {wildcards.figure}"
    shell:
        "dynparam plot sweep --config {params.settings:q}"
        " --results {RESULTS:q} --output {output.png:q} 2>&1 | tee {log:q} >&2"
