# The findings, with the numbers of this run.

FINDINGS = [CONFIG.findings.page] if CONFIG.findings.page else []
SHOWN_CURVES = f"{PICTURES}/{next(iter(CONFIG.figures.training))}.csv"
DOMAIN_DATA = [f"{PICTURES}/{figure}.csv" for figure in DOMAIN]


rule write_findings:
    input:
        slopes=COMPARISON,
        claims=CLAIMS,
        table=TABLE1_1,
        edges=EDGES,
        changes=CHANGES,
        conditions=CONDITIONS_FIGURE[2],
        curves=SHOWN_CURVES,
        domain=DOMAIN_DATA,
        template="src/dynparam/report/findings.md.j2",
    output:
        page=FINDINGS or "findings.md",
        sidecar=(CONFIG.findings.page or Path("findings.md")).with_suffix(".json"),
    params:
        code=stage_digest("write_findings"),
        settings=lambda wildcards: for_findings(CONFIG).model_dump_json(),
        domain=" ".join(f"--domain {path}" for path in DOMAIN_DATA),
    log:
        f"{LOGS}/write_findings.log",
    benchmark:
        f"{BENCHMARKS}/write_findings.tsv"
    threads: 1
    resources:
        **needs("write_findings"),
    message:
        "Writing the findings"
    shell:
        "dynparam findings --config {params.settings:q} --results {RESULTS:q} --conditions {input.conditions:q}"
        " --curves {input.curves:q} {params.domain} --output {output.page:q}"
        " 2>&1 | tee {log:q} >&2"
