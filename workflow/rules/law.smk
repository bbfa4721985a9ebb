# The exact-law engine: the probe's curves at widths beyond any dense network, their exact expectation at
# the thesis's own widths, and the orders of Table 1.1.

LAW_SETTINGS = {"exact": for_exact, "wide": for_wide}


rule probe_law:
    input:
        images=probe_images,
    output:
        trials=f"{RESULTS}/law/probe/{{window}}/{{curve}}.csv",
        sidecar=f"{RESULTS}/law/probe/{{window}}/{{curve}}.json",
    wildcard_constraints:
        window="|".join(LAW_SETTINGS),
    params:
        code=stage_digest("probe_alignment"),
        settings=lambda wildcards: LAW_SETTINGS[wildcards.window](
            CONFIG, wildcards.curve
        ).model_dump_json(),
    log:
        f"{LOGS}/probe_law/{{window}}/{{curve}}.log",
    benchmark:
        f"{BENCHMARKS}/probe_law/{{window}}/{{curve}}.tsv"
    threads: 1
    resources:
        **needs("probe_law"),
    message:
        "Probing {wildcards.curve} in law, {wildcards.window}"
    shell:
        "dynparam probe {wildcards.curve} --engine law --threads {threads}"
        " --config {params.settings:q} --images {input.images:q}"
        " --output {output.trials:q} 2>&1 | tee {log:q} >&2"


rule probe_orders:
    input:
        images=probe_images,
    output:
        trials=f"{RESULTS}/exponents/{{parametrization}}_{{family}}.csv",
        sidecar=f"{RESULTS}/exponents/{{parametrization}}_{{family}}.json",
    wildcard_constraints:
        parametrization="|".join(CONFIG.exponents.parametrizations),
        family="|".join(CONFIG.exponents.families),
    params:
        code=stage_digest("probe_alignment"),
        settings=lambda wildcards: for_exponents(
            CONFIG, wildcards.parametrization, wildcards.family
        ).model_dump_json(),
    log:
        f"{LOGS}/probe_orders/{{parametrization}}_{{family}}.log",
    benchmark:
        f"{BENCHMARKS}/probe_orders/{{parametrization}}_{{family}}.tsv"
    threads: 1
    resources:
        **needs("probe_orders"),
    message:
        "Measuring the orders of {wildcards.parametrization}, {wildcards.family}"
    shell:
        "dynparam probe {wildcards.parametrization}_{wildcards.family} --engine law"
        " --threads {threads} --config {params.settings:q} --images {input.images:q}"
        " --output {output.trials:q} 2>&1 | tee {log:q} >&2"


rule expect_wide:
    input:
        images=probe_images,
    output:
        values=f"{RESULTS}/law/expected/{{curve}}.csv",
        sidecar=f"{RESULTS}/law/expected/{{curve}}.json",
    params:
        code=stage_digest("expect_slopes"),
        settings=lambda wildcards: for_wide(CONFIG, wildcards.curve).model_dump_json(),
    log:
        f"{LOGS}/expect_wide/{{curve}}.log",
    benchmark:
        f"{BENCHMARKS}/expect_wide/{{curve}}.tsv"
    threads: 1
    resources:
        **needs("expect_wide"),
    message:
        "Computing what theory expects of {wildcards.curve} at great widths"
    shell:
        "dynparam expect {wildcards.curve} --config {params.settings:q}"
        " --images {input.images:q} --output {output.values:q} 2>&1 | tee {log:q} >&2"


rule fit_exact:
    input:
        trials=f"{RESULTS}/law/probe/exact/{{curve}}.csv",
    output:
        fits=f"{RESULTS}/law/fits/exact/{{curve}}.csv",
        sidecar=f"{RESULTS}/law/fits/exact/{{curve}}.json",
    params:
        code=stage_digest("fit_slopes"),
        settings=lambda wildcards: for_fit(CONFIG).model_dump_json(),
    log:
        f"{LOGS}/fit_exact/{{curve}}.log",
    benchmark:
        f"{BENCHMARKS}/fit_exact/{{curve}}.tsv"
    threads: 1
    resources:
        **needs("fit_exact"),
    message:
        "Fitting the exact slopes of {wildcards.curve}"
    shell:
        "dynparam fit {input.trials:q} --errors linearized --config {params.settings:q}"
        " --output {output.fits:q} 2>&1 | tee {log:q} >&2"


rule fit_wide:
    input:
        trials=f"{RESULTS}/law/probe/wide/{{curve}}.csv",
    output:
        fits=f"{RESULTS}/law/fits/wide/{{curve}}.csv",
        sidecar=f"{RESULTS}/law/fits/wide/{{curve}}.json",
    params:
        code=stage_digest("fit_slopes"),
        settings=lambda wildcards: for_fit(CONFIG).model_dump_json(),
        smallest=CONFIG.law.slopes_from,
    log:
        f"{LOGS}/fit_wide/{{curve}}.log",
    benchmark:
        f"{BENCHMARKS}/fit_wide/{{curve}}.tsv"
    threads: 1
    resources:
        **needs("fit_wide"),
    message:
        "Fitting the slopes of {wildcards.curve} at great widths"
    shell:
        "dynparam fit {input.trials:q} --from {params.smallest} --config {params.settings:q}"
        " --output {output.fits:q} 2>&1 | tee {log:q} >&2"


rule plot_wide:
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
        figure="|".join(CONFIG.law.figures or ["none"]),
    params:
        code=stage_digest("plot_wide"),
        settings=lambda wildcards: for_wide_figure(
            CONFIG, wildcards.figure
        ).model_dump_json(),
        caption=caption_of,
    log:
        f"{LOGS}/plot_wide/{{figure}}.log",
    benchmark:
        f"{BENCHMARKS}/plot_wide/{{figure}}.tsv"
    threads: 1
    resources:
        **needs("plot_wide"),
    message:
        "Drawing {wildcards.figure}"
    shell:
        "dynparam plot wide {wildcards.figure} --config {params.settings:q}"
        " --results {RESULTS:q} --output {output.png:q} 2>&1 | tee {log:q} >&2"
