# The report: a finished run on one page.

RULE_TABLE = f"{RESULTS}/report/rules.csv"
REPORT = f"{RESULTS}/report/report.html"
AUDITS = [
    f"{RESULTS}/audit/{run.place}.json"
    for run in RUNS.values()
    if CONFIG.training.reuse != "none"
]


rule graph_rules:
    input:
        [
            path
            for folder in ["workflow", "workflow/rules"]
            for path in sorted(Path(folder).iterdir())
            if path.suffix == ".smk" or path.name == "Snakefile"
        ],
    output:
        table=RULE_TABLE,
        sidecar=f"{RESULTS}/report/rules.json",
    params:
        code=stage_digest("graph_rules"),
        settings=lambda wildcards: CONFIG.model_dump_json(),
    log:
        f"{LOGS}/graph_rules/rules.log",
    benchmark:
        f"{BENCHMARKS}/graph_rules/rules.tsv"
    threads: 1
    resources:
        **needs("graph_rules"),
    message:
        "Asking which rule needs which"
    shell:
        "dynparam report rules --config {params.settings:q}"
        " --output {output.table:q} 2>&1 | tee {log:q} >&2"


rule assemble_report:
    input:
        figures=[figure_files(figure) for figure in FIGURES],
        studies=[LEDGER_FIGURE, TABLE1_1_FIGURE, CONDITIONS_FIGURE],
        tables=[COMPARISON, CLAIMS, TABLE1_1, EDGES],
        pages=[FINDINGS, CONFIG.ledger.page],
        audits=AUDITS,
        rules=RULE_TABLE,
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
        "dynparam report page --config {params.settings:q} --rules {input.rules:q}"
        " --output {output.page:q} 2>&1 | tee {log:q} >&2"
