# SPDX-License-Identifier: Apache-2.0
"""Advice for thousands of invented charts, held to what must be true for every patient."""
