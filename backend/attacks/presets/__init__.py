"""One file a preset: the attacks that run together under a name. `backend.attacks.catalogue` has their rows.

How to add one (`tests/attacks/toy_preset/` is plain PGD, added exactly so; CI runs it):

1. **A function** `attack_<name>(run, group) -> list[Candidate]` in a module of its own in this folder. `run`
   (`runs.Run`) holds the classifier, norm and eps; `group` (`runs.SampleGroup`) holds images and the labels to change.
   Give one candidate for each attack of the preset, in their order. Propose what the attack takes for broken; nothing
   has to be verified, measured or counted: `verify` classifies and measures every candidate on the network itself. An
   attack that maps a batch of images to a batch of images needs `search.batchwise.propose_by_batch` and nothing else;
   one made of minimum-norm walks follows a script per sample, see `search.plan` and `presets.margin`. Gradients come
   from `run.classifier.differentiate`, outputs from `run.classifier.classify`, which count passes and report progress.
   Draws come from `run.task.seed` and the sample's own pixels (`search.starts.draw_noise`), never from torch's global
   generator.
2. **Its rows**, data without torch: an `Attack` for each attack that the catalogue does not have, in
   `catalogue/attacks.py`, and a `Preset` in `catalogue/presets.py`: `runs` names the function of step 1, `promises`
   says what is asked of it ("margin" or "verdict"), `rank` how strong it is: `margin` has 10,
   `autoattack-plus` 40, and where two evaluated the same samples the higher one is shown. From outside of this
   repository, a notebook or a package, call `catalogue.register_preset(PRESET, ATTACK)` instead (and `remove_preset`).
3. **The tests**: `python -m pytest tests/attacks/test_contract.py tests/attacks/catalogue tests/attacks/test_engine.py
   tests/frontend/help` run over the catalogue and hold the new row to what its kind promises.

Nothing else names presets: forms, commands, REST, tables, ranks and Help read the catalogue.
"""
