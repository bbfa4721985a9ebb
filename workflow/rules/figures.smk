# The figures of the thesis.


rule plot_figure:
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
        figure="|".join(CONFIG.panels),
    params:
        code=stage_digest("plot_figure"),
        settings=lambda wildcards: for_figure(
            CONFIG, wildcards.figure
        ).model_dump_json(),
        caption=caption_of,
    log:
        f"{LOGS}/plot_figure/{{figure}}.log",
    benchmark:
        f"{BENCHMARKS}/plot_figure/{{figure}}.tsv"
    threads: 1
    resources:
        **needs("plot_figure"),
    message:
        "Drawing {wildcards.figure}"
    shell:
        "dynparam plot probe {wildcards.figure} --config {params.settings:q}"
        " --results {RESULTS:q} --output {output.png:q} 2>&1 | tee {log:q} >&2"


rule plot_architecture:
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
        figure="|".join(CONFIG.figures.architecture),
    params:
        code=stage_digest("plot_architecture"),
        settings=lambda wildcards: for_architecture(
            CONFIG, wildcards.figure
        ).model_dump_json(),
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
        "dynparam plot architecture {wildcards.figure} --config {params.settings:q}"
        " --output {output.png:q} 2>&1 | tee {log:q} >&2"


rule plot_curves:
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
        figure="|".join(CONFIG.figures.training),
    params:
        code=stage_digest("plot_curves"),
        settings=lambda wildcards: for_claims(CONFIG).model_dump_json(),
        caption=caption_of,
    log:
        f"{LOGS}/plot_curves/{{figure}}.log",
    benchmark:
        f"{BENCHMARKS}/plot_curves/{{figure}}.tsv"
    threads: 1
    resources:
        **needs("plot_curves"),
    message:
        "Drawing {wildcards.figure}"
    shell:
        "dynparam plot curves {wildcards.figure} --config {params.settings:q}"
        " --results {RESULTS:q} --output {output.png:q} 2>&1 | tee {log:q} >&2"


rule plot_domain:
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
        figure="|".join(DOMAIN or ["none"]),
    params:
        code=stage_digest("plot_domain"),
        settings=lambda wildcards: for_claims(CONFIG).model_dump_json(),
        caption=caption_of,
    log:
        f"{LOGS}/plot_domain/{{figure}}.log",
    benchmark:
        f"{BENCHMARKS}/plot_domain/{{figure}}.tsv"
    threads: 1
    resources:
        **needs("plot_domain"),
    message:
        "Drawing {wildcards.figure}"
    shell:
        "dynparam plot domain --config {params.settings:q}"
        " --results {RESULTS:q} --output {output.png:q} 2>&1 | tee {log:q} >&2"
