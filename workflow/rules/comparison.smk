# Slopes with intervals, the table of measured against expected slopes, and the claims on curves.


rule fit_slopes:
    input:
        trials=f"{RESULTS}/probe/{{curve}}.csv",
    output:
        fits=f"{RESULTS}/fits/{{curve}}.csv",
        sidecar=f"{RESULTS}/fits/{{curve}}.json",
    params:
        code=stage_digest("fit_slopes"),
        settings=lambda wildcards: for_fit(CONFIG).model_dump_json(),
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
        "dynparam fit {input.trials:q} --config {params.settings:q}"
        " --output {output.fits:q} 2>&1 | tee {log:q} >&2"


rule compare_slopes:
    input:
        fits=expand(f"{RESULTS}/fits/{{curve}}.csv", curve=shown_curves(CONFIG.panels)),
        expected=expand(
            f"{RESULTS}/expected/{{curve}}.csv", curve=shown_curves(CONFIG.panels)
        ),
        exact=expand(
            f"{RESULTS}/law/fits/exact/{{curve}}.csv",
            curve=shown_curves(CONFIG.panels),
        ),
        wide=expand(f"{RESULTS}/law/fits/wide/{{curve}}.csv", curve=WIDE_CURVES),
        wide_expected=expand(f"{RESULTS}/law/expected/{{curve}}.csv", curve=WIDE_CURVES),
    output:
        shown(COMPARISON, "slopes"),
    params:
        code=stage_digest("compare_slopes"),
        settings=lambda wildcards: for_comparison(CONFIG).model_dump_json(),
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
        "dynparam compare --config {params.settings:q} --results {RESULTS:q}"
        " --output {output[0]:q} 2>&1 | tee {log:q} >&2"


rule judge_claims:
    input:
        expand(
            f"{RESULTS}/training/{{task}}/{{parametrization}}.csv",
            task=CONFIG.figures.training.values(),
            parametrization=CONFIG.training.parametrizations,
        ),
    output:
        shown(CLAIMS, "claims"),
    params:
        code=stage_digest("judge_claims"),
        settings=lambda wildcards: for_claims(CONFIG).model_dump_json(),
    log:
        f"{LOGS}/judge_claims.log",
    benchmark:
        f"{BENCHMARKS}/judge_claims.tsv"
    threads: 1
    resources:
        **needs("judge_claims"),
    message:
        "Judging the claims on training curves"
    shell:
        "dynparam claims --config {params.settings:q} --results {RESULTS:q}"
        " --output {output[0]:q} 2>&1 | tee {log:q} >&2"
