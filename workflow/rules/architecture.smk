# Fig. 3.1. The rule is also the pattern of all that draw a figure: `use rule plot_architecture as ...`.

from dynparam.experiments.architecture.settings import for_architecture


rule plot_architecture:
    input:
        drawn_from,
    output:
        png=picture(),
        svg=f"{PICTURES}/{{figure}}.svg",
        pdf=f"{PICTURES}/{{figure}}.pdf",
        data=f"{PICTURES}/{{figure}}.csv",
        sidecar=f"{PICTURES}/{{figure}}.json",
    wildcard_constraints:
        figure=any_of(CONFIG.figures.architecture),
    params:
        code=code("plot_architecture"),
        settings=lambda wildcards: for_architecture(
            CONFIG, wildcards.figure
        ).model_dump_json(),
        command=lambda wildcards: f"architecture {wildcards.figure}",
        caption=caption_of,
    log:
        f"{LOGS}/plot_architecture/{{figure}}.log",
    benchmark:
        f"{BENCHMARKS}/plot_architecture/{{figure}}.tsv"
    threads: 1
    resources:
        **needs("plot_architecture"),
    message:
        "Drawing {wildcards.figure}"
    shell:
        "dynparam plot {params.command} --config only={params.settings:q} --output {output.png:q}"
        " > {log:q} 2>&1"
