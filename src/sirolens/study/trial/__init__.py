# SPDX-License-Identifier: Apache-2.0
"""Virtual trials: recipes, patients, doses by level, verdicts, page."""
