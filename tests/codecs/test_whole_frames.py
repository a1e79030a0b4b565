import pytest
import torch

from vall_e_codecs.kit import whole_frames


@pytest.mark.parametrize(("length", "padded"), [(0, 0), (1, 4), (4, 4), (5, 8)])
def test_audio_is_followed_by_silence_up_to_a_whole_frame(length, padded):
    audio = torch.ones(2, 1, length)
    out = whole_frames(audio, 4)
    assert out.shape == (2, 1, padded)
    assert out[:, :, :length].eq(1).all()
    assert out[:, :, length:].eq(0).all()
