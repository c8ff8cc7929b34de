"""From recordings to what networks see of them: log-mel spectrograms or waveforms of one second."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray

from sslbench.contract.spec import InputError, ViewPolicy
from sslbench.datasets._files import said

Floats = NDArray[np.float64]

#: Samples a second of everything after loading: what telephones carry.
RATE = 8_000

#: Of files that are read, and what is no sample any more; full scale is 1.
RATES, LOUDEST = range(1_000, 1_000_001), 1e6

#: Samples of a frame and from one to the next (32 and 16 ms), and bands from 0 to 4,000 Hz on the mel scale.
FRAME, HOP, BANDS = 256, 128, 40

#: Frames of one second.
FRAMES = 1 + RATE // HOP

#: What is this many decibels below the loudest point, or more, counts as silence.
SILENCE = -60.0

#: In decibels below the loudest point: what a network sees as 0, and the step that it sees as 1. So silence is -1.
ZERO, ONE = -45.0, 15.0

#: Stored values are whole 32nds, from -4 to 4: so coarse that no two machines round them differently.
STEPS = 32

#: What may become of a sound without becoming another one: it may be stretched and be louder.
VIEWS = ViewPolicy(min_crop_scale=0.6)


def read_sound(content: bytes, source: str) -> Floats:
    """A WAV or FLAC file as one channel `(samples,)` in [-1, 1] at `RATE`; some files hold none.

    Raises:
        InputError: it cannot be read.
    """
    import soundfile

    try:
        samples, rate = soundfile.read(io.BytesIO(content), dtype="float64", always_2d=True)
    except (soundfile.LibsndfileError, RuntimeError, ValueError) as error:
        raise InputError(f"{source} cannot be read as sound: {said(error)}") from error
    if rate not in RATES:
        raise InputError(f"{source} has {rate:,} samples a second; a recording has {RATES[0]:,} to {RATES[-1]:,}")
    if not (np.abs(samples) <= LOUDEST).all():
        raise InputError(f"{source} holds samples that are no numbers, or beyond {LOUDEST:g}")
    mono: Floats = samples.mean(axis=1)
    if rate == RATE or not len(mono):
        return mono
    from scipy.signal import resample_poly

    resampled: Floats = resample_poly(mono, RATE, rate)
    return resampled


def centred(sound: Floats) -> Floats:
    """One second: the middle of a longer sound, a shorter one with silence on both sides."""
    missing = RATE - len(sound)
    if missing > 0:
        return np.pad(sound, (missing // 2, missing - missing // 2))
    return sound[-missing // 2 :][:RATE]


def seconds(sound: Floats) -> Iterator[Floats]:
    """Every second of a sound in which something is heard; what is left at the end from half a second on."""
    for start in range(0, len(sound), RATE):
        window = sound[start : start + RATE]
        if len(window) >= RATE // 2 and np.sqrt(np.mean(window**2)) > 10 ** (-50 / 20):  # -50 dB of full scale
            yield np.pad(window, (0, RATE - len(window)))


def log_mel(sound: Floats) -> NDArray[np.int8]:
    """Log-mel spectrogram `(BANDS, FRAMES)` of one second in decibels below its loudest point, in `STEPS` of one.

    So a loud recording is as a soft one, and silence is the same in a long word as in a short one. Stevens, Volkmann
    and Newman 1937 by O'Shaughnessy's formula, as in HTK.
    """
    padded = np.pad(sound, FRAME // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, FRAME)[::HOP] * np.hanning(FRAME)
    power = _bands() @ (np.abs(np.fft.rfft(frames)) ** 2).T
    loudness = 10 * np.log10(np.maximum(power, 1e-12) / max(power.max(), 1e-6))
    return _stored((np.maximum(loudness, SILENCE) - ZERO) / ONE)


def waveform(sound: Floats) -> NDArray[np.int8]:
    """One second of samples `(1, RATE)` over their deviation, in `STEPS` of one."""
    return _stored((sound - sound.mean())[None] / max(float(sound.std()), 1e-9))


def _stored(values: Floats) -> NDArray[np.int8]:
    whole: NDArray[np.int8] = np.clip(np.round(STEPS * values), -127, 127).astype(np.int8)
    return whole


@cache
def _bands() -> Floats:
    """Triangles `(BANDS, FRAME / 2 + 1)` over the frequencies, equally wide on the mel scale."""
    edges = 700 * (10 ** (np.linspace(0, 2595 * np.log10(1 + RATE / 2 / 700), BANDS + 2) / 2595) - 1)
    frequencies = np.fft.rfftfreq(FRAME, 1 / RATE)
    rising = (frequencies - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - frequencies) / (edges[2:] - edges[1:-1])[:, None]
    return np.maximum(0, np.minimum(rising, falling))


def stacked(values: Iterable[NDArray[np.int8]]) -> torch.Tensor:
    """What `log_mel` or `waveform` made of many sounds, as series `(N, C, L)`."""
    found: Sequence[NDArray[np.int8]] = list(values)
    return torch.from_numpy(np.stack(found)).float() / STEPS
