# The report: a finished run on one page.

REPORT = f"{RESULTS}/report/report.html"
AUDITS = [
    f"{RESULTS}/audit/{run.place}.json"
    for run in RUNS.values()
    if CONFIG.training.reuse != "none"
]


rule assemble_report:
    input:
        figures=[figure_files(figure) for figure in FIGURES],
        studies=[OPEN_CHOICES_FIGURE, TABLE1_1_FIGURE, CONDITIONS_FIGURE],
        tables=[COMPARISON, CLAIMS, TABLE1_1, EDGES],
        pages=[FINDINGS, CONFIG.open_choices.page],
        audits=AUDITS,
        captions=sorted(Path("workflow/report").glob("*.rst")),
        templates=sorted(Path("src/dynparam/report").glob("report.*")),
    output:
        page=REPORT,
        sidecar=f"{RESULTS}/report/report.json",
    params:
        code=stage_digest("assemble_report"),
        settings=lambda wildcards: CONFIG.model_dump_json(),
    log:
        f"{LOGS}/assemble_report/report.log",
    benchmark:
        f"{BENCHMARKS}/assemble_report/report.tsv"
    threads: 1
    resources:
        **needs("assemble_report"),
    message:
        "Assembling the report"
    shell:
        "dynparam report page --config {params.settings:q} --output {output.page:q}"
        " 2>&1 | tee {log:q} >&2"
