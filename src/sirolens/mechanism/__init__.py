# SPDX-License-Identifier: Apache-2.0
"""Mechanism: how sirolimus may act in ITP, as a model to read, run and question; research, never advice."""
