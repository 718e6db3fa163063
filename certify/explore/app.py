# /// script
# [tool.marimo.display]
# theme = "system"
# ///
"""The page of `gramcert explore`: its controls, and what the model makes of them."""

import marimo

app = marimo.App(width="full", app_title="gramcert explore")


@app.cell
def _():
    import marimo as mo

    from certify.explore import model, page, scales, threshold
    from certify.explore.background import Latest, Request

    usual = model.Controls()
    return Latest, Request, mo, model, page, scales, threshold, usual


@app.cell
def _(Latest, mo, model, threshold):
    get_view, put_view = mo.state(None)
    get_mark, put_mark = mo.state(None, allow_self_loops=True)  # the cell that asks is the one that shows
    prover = Latest(model.PATIENCE, thread=mo.Thread)
    marker = threshold.Marker(Latest(model.PATIENCE, thread=mo.Thread), put_mark)
    return get_mark, get_view, marker, prover, put_view


@app.cell
def head(mo):
    mo.Html(
        '<header class="gram-head"><h1>gramcert explore</h1>'
        "<p>What geometry does contrastive training reach? The certified optimum, as you move.</p></header>"
    )
    return


@app.cell
def of_counts(mo, scales, usual):
    def _slider(label, value, steps):
        return mo.ui.slider(steps=steps, value=value, label=label, show_value=True, full_width=True)

    step = mo.ui.dictionary(
        {
            "k_major": _slider("large classes", usual.k_major, list(range(1, 31))),
            "k_minor": _slider("small classes", usual.k_minor, list(range(1, 31))),
            "n_minor": _slider("samples in a small class", usual.n_minor, scales.SIZES),
            "ratio": mo.ui.slider(
                steps=scales.RATIOS, value=usual.ratio, label="imbalance R", full_width=True
            ),
        }
    )
    typed = mo.ui.text(value="5000,500x3,50,10,5", label="class sizes, e.g. 5000,500x3,10", full_width=True)
    source = mo.ui.tabs(
        {"Two sizes": mo.vstack(step.elements.values(), gap=0.4), "Any counts": mo.vstack([typed])}
    )
    source  # pyright: ignore[reportUnusedExpression]
    return source, step, typed


@app.cell
def scale(chosen, first, get_mark, marker, mo, page, scales):
    _known, _geometry = get_mark(), first  # again when a mark has become known, and after the geometry
    _mark = marker.mark(chosen)
    mo.Html("<div></div>" if _mark is None else page.ratio_scale(scales.RATIOS, chosen, _mark))
    return


@app.cell
def of_problem(mo, model, scales, usual):
    loss = mo.ui.dropdown(list(model.suitable()), value=usual.loss, label="loss", full_width=True)
    temperature = mo.ui.slider(
        steps=scales.TEMPERATURES,
        value=usual.temperature,
        label="temperature τ",
        show_value=True,
        full_width=True,
    )
    turn = mo.ui.slider(
        -180, 180, 5, value=30, label="turn the vectors (°)", show_value=True, full_width=True
    )
    mo.vstack([temperature, loss, turn], gap=0.4)
    return loss, temperature, turn


@app.cell
def of_loss(loss, mo, model, scales, usual):
    _has = model.parameters_of(loss.value)
    _made = {}
    if "positives_weight" in _has:
        _own = model.default_weight(loss.value)
        _made["positives_weight"] = mo.ui.slider(
            steps=scales.WEIGHTS, value=_own, label="weight w of positives", show_value=True, full_width=True
        )
    if "batch_size" in _has:
        _made["sampler"] = mo.ui.dropdown(
            list(model.SAMPLERS), value=usual.sampler, label="batches", full_width=True
        )
        _made["batch_size"] = mo.ui.slider(
            steps=scales.BATCHES,
            value=usual.batch_size,
            label="batch size, where there are batches",
            show_value=True,
            full_width=True,
        )
    extra = mo.ui.dictionary(_made)
    mo.vstack(extra.elements.values(), gap=0.4)
    return (extra,)


@app.cell
def _(extra, loss, model, source, step, temperature, typed):
    chosen = model.Controls(
        **step.value,
        counts=typed.value if source.value == "Any counts" else None,
        temperature=temperature.value,
        loss=loss.value,
        **extra.value,
    )
    return (chosen,)


@app.cell
def _(Request, chosen, model, prover, put_view):
    prover.stop()
    first = model.look(chosen)
    if first.working:
        prover.ask(Request(model.later, first, put_view, lambda why: put_view(model.given_up(first, why))))
    return (first,)


@app.cell
def _(first, get_view):
    late = get_view()
    view = late if late and late.controls == first.controls else first
    return (view,)


@app.cell
def stage(mo, page, turn, view):
    mo.Html(page.stage(view, turn.value))
    return


@app.cell
def download(mo, model, view):
    mo.download(
        (lambda: model.certificate_file(view.proof)) if view.proof else b"",
        filename="certificate.json",
        mimetype="application/json",
        label="Download the certificate",
        disabled=view.proof is None,
    )
    return


if __name__ == "__main__":
    app.run()
