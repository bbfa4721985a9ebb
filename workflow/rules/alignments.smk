# Figs. 3.2 and 3.3: a curve's trials, what theory expects of them, slopes, their table, the figures; and all
# of it on the exact-law engine, at widths beyond any dense network and for exact slopes.

from dynparam.experiments.alignments.settings import (
    for_comparison,
    for_exact,
    for_figure,
    for_fit,
    for_wide,
    for_wide_figure,
)
from dynparam.settings.shared import shown_curves
from dynparam.trials.settings import for_curve

LAW_SETTINGS = {"exact": for_exact, "wide": for_wide}
SHOWN_CURVES = shown_curves(CONFIG.panels)
# The curves that figures show at the law engine's widths.
WIDE_CURVES = shown_curves(
    {figure: CONFIG.panels[shown] for figure, shown in CONFIG.law.figures.items()}
)


rule probe_alignment:
    input:
        images=probe_images,
    output:
        trials=f"{RESULTS}/probe/{{curve}}.csv",
        sidecar=f"{RESULTS}/probe/{{curve}}.json",
    params:
        code=code("probe_alignment"),
        settings=lambda wildcards: for_curve(CONFIG, wildcards.curve).model_dump_json(),
        command=lambda wildcards: wildcards.curve,
    log:
        f"{LOGS}/probe_alignment/{{curve}}.log",
    benchmark:
        f"{BENCHMARKS}/probe_alignment/{{curve}}.tsv"
    threads: CONFIG.jobs.probe_threads
    resources:
        **needs("probe_alignment"),
    message:
        "Probing {wildcards.curve}"
    shell:
        "dynparam probe {params.command} --config only={params.settings:q} --threads {threads}"
        " --images {input.images:q} --output {output.trials:q} > {log:q} 2>&1"


use rule probe_alignment as probe_law with:
    output:
        trials=f"{RESULTS}/law/probe/{{window}}/{{curve}}.csv",
        sidecar=f"{RESULTS}/law/probe/{{window}}/{{curve}}.json",
    wildcard_constraints:
        window=any_of(LAW_SETTINGS),
    params:
        settings=lambda wildcards: LAW_SETTINGS[wildcards.window](
            CONFIG, wildcards.curve
        ).model_dump_json(),
        command=lambda wildcards: f"{wildcards.curve} --engine law",
    log:
        f"{LOGS}/probe_law/{{window}}/{{curve}}.log",
    benchmark:
        f"{BENCHMARKS}/probe_law/{{window}}/{{curve}}.tsv"
    threads: 1
    resources:
        **needs("probe_law"),
    message:
        "Probing {wildcards.curve} in law, {wildcards.window}"


rule expect_slopes:
    input:
        images=probe_images,
    output:
        values=f"{RESULTS}/expected/{{curve}}.csv",
        sidecar=f"{RESULTS}/expected/{{curve}}.json",
    params:
        code=code("expect_slopes"),
        settings=lambda wildcards: for_curve(CONFIG, wildcards.curve).model_dump_json(),
    log:
        f"{LOGS}/expect_slopes/{{curve}}.log",
    benchmark:
        f"{BENCHMARKS}/expect_slopes/{{curve}}.tsv"
    threads: 1
    resources:
        **needs("expect_slopes"),
    message:
        "Computing what theory expects of {wildcards.curve}"
    shell:
        "dynparam expect {wildcards.curve} --config only={params.settings:q}"
        " --images {input.images:q} --output {output.values:q} > {log:q} 2>&1"


use rule expect_slopes as expect_wide with:
    output:
        values=f"{RESULTS}/law/expected/{{curve}}.csv",
        sidecar=f"{RESULTS}/law/expected/{{curve}}.json",
    params:
        settings=lambda wildcards: for_wide(CONFIG, wildcards.curve).model_dump_json(),
    log:
        f"{LOGS}/expect_wide/{{curve}}.log",
    benchmark:
        f"{BENCHMARKS}/expect_wide/{{curve}}.tsv"
    resources:
        **needs("expect_wide"),
    message:
        "Computing what theory expects of {wildcards.curve} at great widths"


rule fit_slopes:
    input:
        trials=f"{RESULTS}/probe/{{curve}}.csv",
    output:
        fits=f"{RESULTS}/fits/{{curve}}.csv",
        sidecar=f"{RESULTS}/fits/{{curve}}.json",
    params:
        code=code("fit_slopes"),
        settings=lambda wildcards: for_fit(CONFIG).model_dump_json(),
        options="",
    log:
        f"{LOGS}/fit_slopes/{{curve}}.log",
    benchmark:
        f"{BENCHMARKS}/fit_slopes/{{curve}}.tsv"
    threads: 1
    resources:
        **needs("fit_slopes"),
    message:
        "Fitting the slopes of {wildcards.curve}"
    shell:
        "dynparam fit {input.trials:q} {params.options} --config only={params.settings:q}"
        " --output {output.fits:q} > {log:q} 2>&1"


use rule fit_slopes as fit_exact with:
    input:
        trials=f"{RESULTS}/law/probe/exact/{{curve}}.csv",
    output:
        fits=f"{RESULTS}/law/fits/exact/{{curve}}.csv",
        sidecar=f"{RESULTS}/law/fits/exact/{{curve}}.json",
    params:
        options="--errors linearized",
    log:
        f"{LOGS}/fit_exact/{{curve}}.log",
    benchmark:
        f"{BENCHMARKS}/fit_exact/{{curve}}.tsv"
    resources:
        **needs("fit_exact"),
    message:
        "Fitting the exact slopes of {wildcards.curve}"


use rule fit_slopes as fit_wide with:
    input:
        trials=f"{RESULTS}/law/probe/wide/{{curve}}.csv",
    output:
        fits=f"{RESULTS}/law/fits/wide/{{curve}}.csv",
        sidecar=f"{RESULTS}/law/fits/wide/{{curve}}.json",
    params:
        options=f"--from {CONFIG.law.slopes_from}",
    log:
        f"{LOGS}/fit_wide/{{curve}}.log",
    benchmark:
        f"{BENCHMARKS}/fit_wide/{{curve}}.tsv"
    resources:
        **needs("fit_wide"),
    message:
        "Fitting the slopes of {wildcards.curve} at great widths"


# Also the pattern of the rules that judge a table: `use rule compare_slopes as ...`.
rule compare_slopes:
    input:
        results(
            "{place}/{curve}.csv",
            place=["fits", "expected", "law/fits/exact"],
            curve=SHOWN_CURVES,
        ),
        results(
            "{place}/{curve}.csv",
            place=["law/fits/wide", "law/expected"],
            curve=WIDE_CURVES,
        ),
    output:
        marked_table("comparison/slopes"),
    params:
        code=code("compare_slopes"),
        settings=lambda wildcards: for_comparison(CONFIG).model_dump_json(),
        command="compare",
    log:
        f"{LOGS}/compare_slopes.log",
    benchmark:
        f"{BENCHMARKS}/compare_slopes.tsv"
    threads: 1
    resources:
        **needs("compare_slopes"),
    message:
        "Comparing measured with expected slopes"
    shell:
        "dynparam {params.command} --config only={params.settings:q} --results {RESULTS:q}"
        " --output {output[0]:q} > {log:q} 2>&1"


use rule plot_architecture as plot_figure with:
    wildcard_constraints:
        figure=any_of(CONFIG.panels),
    params:
        code=code("plot_figure"),
        settings=lambda wildcards: for_figure(
            CONFIG, wildcards.figure
        ).model_dump_json(),
        command=lambda wildcards: f"probe {wildcards.figure} --results {RESULTS}",
    log:
        f"{LOGS}/plot_figure/{{figure}}.log",
    benchmark:
        f"{BENCHMARKS}/plot_figure/{{figure}}.tsv"
    resources:
        **needs("plot_figure"),


use rule plot_architecture as plot_wide with:
    wildcard_constraints:
        figure=any_of(CONFIG.law.figures),
    params:
        code=code("plot_wide"),
        settings=lambda wildcards: for_wide_figure(
            CONFIG, wildcards.figure
        ).model_dump_json(),
        command=lambda wildcards: f"wide {wildcards.figure} --results {RESULTS}",
    log:
        f"{LOGS}/plot_wide/{{figure}}.log",
    benchmark:
        f"{BENCHMARKS}/plot_wide/{{figure}}.tsv"
    resources:
        **needs("plot_wide"),
