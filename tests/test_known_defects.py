"""What went wrong in the project that this one learnt from, and the tests that keep it from us.

Each defect is told as it was there. That the tests do what their names say is for a reader to
judge; here they are only held to be there.
"""

import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DEFECTS = {
    "every step of the AR stage embedded and ran the whole sequence again": [
        "tests/model/test_known_defects.py::test_a_frame_is_read_once_and_not_the_whole_sequence_again",
        "tests/model/test_valle.py::test_cached_steps_equal_one_pass",
    ],
    "later levels and masked frames saw no frame after them": [
        "tests/model/test_known_defects.py::test_a_frame_of_a_later_level_sees_the_frames_after_it",
        "tests/model/test_masking.py::test_a_masked_frame_is_predicted_in_view_of_those_after_it",
    ],
    "a sum of levels left out the newest": [
        "tests/model/test_known_defects.py::test_a_sum_of_levels_has_the_newest_one_in_it"
    ],
    "losses by segment crashed, or were no number where levels are summed": [
        "tests/model/test_options.py::test_each_kind_of_segment_counts_by_its_factor",
        "tests/parity/test_tasks.py::test_losses_by_segment_are_the_same",
    ],
    "all distributions of levels but one were that one": [
        "tests/model/test_valle.py::test_the_distributions_differ"
    ],
    "the ban of the stop token was inverted": [
        "tests/synthesis/test_known_defects.py::test_the_stop_token_is_banned_where_it_is_to_be"
    ],
    "options of samplers were dropped on their way from the command": [
        "tests/synthesis/test_known_defects.py::test_samplers_that_are_asked_for_are_used"
    ],
    "all ranks trained on the same part of the data, in the same order at every start": [
        "tests/data/batching/test_batch_sampler.py::test_ranks_share_out_the_sequence",
        "tests/data/batching/test_sampling_pools.py::test_however_it_is_drawn_the_ranks_see_all_and_continue_exactly",
        "tests/data/batching/test_batch_sampler.py::test_epochs_differ_and_seeds_differ_and_nothing_else",
    ],
    "the first window of accumulated batches was one short": [
        "tests/training/test_loop.py::test_a_window_of_batches_is_one_large_batch"
    ],
    "gradients were clipped while they were scaled, and their norm was told as nothing": [
        "tests/training/test_components.py::test_fp16_measures_and_clips_unscaled_gradients",
        "tests/training/test_options.py::test_gradients_are_clipped_to_the_norm",
    ],
    "the optimizer's state was not saved": [
        "tests/training/test_loop.py::test_a_resumed_run_equals_an_uninterrupted_one",
        "tests/training/optimizers/test_torch_optimizers.py::test_a_resumed_run_is_the_uninterrupted_one",
    ],
    "a size that was spelt out was not obeyed": [
        "tests/model/test_known_defects.py::test_any_size_of_model_is_the_size_that_is_built"
    ],
    "a model of nothing but defaults could not be built": [
        "tests/model/test_known_defects.py::test_a_model_of_nothing_but_defaults_can_be_built"
    ],
    "the repetition penalty made unlikely tokens likelier": [
        "tests/samplers/test_formulas.py::test_a_penalty_never_makes_an_unlikely_token_likelier"
    ],
    "DRY stopped at the first short match": [
        "plugins/vall-e-sampler-dry/tests/test_dry.py::test_it_does_what_its_words_say_row_by_row"
    ],
    "mirostat started almost greedily, with one state for all rows": [
        "tests/synthesis/test_known_defects.py::test_mirostat_starts_open_and_keeps_rows_apart"
    ],
    "beams took over the histories of others": [
        "tests/decoding/ar/test_beam_search.py::test_histories_and_what_samplers_remember_follow_their_beams"
    ],
    "entropix crashed where all was certain": [
        "tests/synthesis/test_known_defects.py::test_entropix_draws_where_all_is_certain"
    ],
    "an early exit measured the hidden state, not what would be said, and was then switched off": [
        "tests/decoding/ar/test_choose_state.py::test_plain_is_distinguished_from_the_distribution_alone",
        "tests/decoding/ar/test_choose_state.py::test_each_frame_leaves_where_it_is_plain_and_is_caught_up_with_exactly",
    ],
    "losses of early exits overwrote each other and were not summed": [
        "tests/model/test_layer_skip.py::test_the_losses_of_all_exits_add_up_by_their_shares"
    ],
    "the marker of a task had no position of its own": [
        "tests/model/test_known_defects.py::test_a_marker_of_a_task_has_a_position_like_everything_else"
    ],
    "the offset among similar utterances was always 0": [
        "tests/data/inspect/test_similar.py::test_an_offset_leaves_out_the_nearest"
    ],
    "options did nothing": [
        "tests/model/test_known_defects.py::test_an_option_that_would_do_nothing_is_refused",
        "tests/model/test_known_defects.py::test_every_option_is_read_somewhere",
    ],
    "sgd crashed": ["tests/training/test_options.py::test_gradients_are_clipped_to_the_norm"],
    "a file named .safetensors could not be read, nor one without metadata": [
        "tests/weights/ecker/test_file.py::test_the_model_in_the_file_is_read",
        "tests/weights/ecker/test_file.py::test_a_file_may_have_no_metadata_at_all",
    ],
    "transcribing stopped at its first recording": [
        "tests/judges/test_transcribers.py::test_what_ships_keeps_its_contract",
        "tests/judges/test_transcribers.py::test_a_pipeline_gives_passages",
    ],
    "hidden states were taken for the logits of a text": [
        "tests/model/test_known_defects.py::test_text_is_predicted_by_a_head_of_its_own"
    ],
    "a command that was typed in was needed for what had been configured": [
        "tests/training/test_loop.py::test_commands_are_carried_out_when_due"
    ],
    "the place in the data was not saved, and epochs were miscounted": [
        "tests/data/batching/test_sampling_pools.py::test_however_it_is_drawn_the_ranks_see_all_and_continue_exactly",
        "tests/training/test_loop.py::test_other_data_start_a_new_epoch",
    ],
    "float16 went on at scales that ruin a model, and losses that are no number were dropped": [
        "tests/training/test_components.py::test_fp16_leaves_out_a_step_that_overflows_and_lowers_the_scale",
        "tests/training/test_options.py::test_fp16_that_never_finds_a_scale_ends_the_run",
        "tests/training/test_loop.py::test_a_loss_that_is_not_a_number_stops_and_names_the_batch",
        "tests/training/test_loop.py::test_a_gradient_that_is_not_a_number_stops_and_leaves_the_weights",
    ],
    "apollo's updates became no numbers": [
        "plugins/vall-e-optimizer-apollo/tests/test_apollo.py::test_an_update_grows_by_little_at_a_time"
    ],
    "the loss of a router was looked for where it is not": [
        "tests/model/test_known_defects.py::test_the_auxiliary_loss_of_a_backbone_counts",
        "tests/backbones/test_mixtral.py::test_the_routers_loss_is_weighted_and_reaches_the_router",
    ],
    "a CPU could not train with the kernel that was the default": [
        "tests/model/test_known_defects.py::test_a_cpu_trains_with_dropout_and_the_default_kernel"
    ],
    "a text was split at its line ends alone, and what was over 12 seconds was lost": [
        "tests/text/test_sentences.py::test_sentences_are_found",
        "tests/text/test_sentences.py::test_a_long_sentence_is_cut_at_the_comma_nearest_to_its_middle",
    ],
    "each line of a text was written over the one before": [
        "tests/synthesis/test_known_defects.py::test_no_line_is_written_over_another"
    ],
    "a seed was never set": [
        "tests/synthesis/test_known_defects.py::test_a_seed_is_obeyed",
        "tests/training/test_loop.py::test_the_same_seed_gives_the_same_run_and_another_another",
    ],
    "a pickle that is opened could run anything": [
        "tests/weights/ecker/test_file.py::test_a_pickle_that_runs_code_is_refused_unrun"
    ],
}


@cache
def source(path):
    return (ROOT / path).read_text(encoding="utf-8")


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_defect_has_tests_that_are_there(defect):
    for path, _, name in (test.partition("::") for test in DEFECTS[defect]):
        assert re.search(rf"^def {name}\(", source(path), re.MULTILINE), f"{path}::{name}"
