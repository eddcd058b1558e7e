# SPDX-License-Identifier: Apache-2.0
"""Reads models written in SBML or Antimony; nothing it does not understand gets through."""

from sirolens.engine.sbml.reader import antimony_to_sbml, read_antimony, read_sbml

__all__ = ["antimony_to_sbml", "read_antimony", "read_sbml"]
