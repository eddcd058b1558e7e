# SPDX-License-Identifier: Apache-2.0
"""Runs what validates the integrators; each module writes a page of its own."""

from __future__ import annotations

from validation.ode import stiff


def main() -> None:
    stiff.main()


if __name__ == "__main__":
    main()
