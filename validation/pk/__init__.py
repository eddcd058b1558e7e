# SPDX-License-Identifier: Apache-2.0
"""Published pharmacokinetics beside the predictions of the models."""
