# SPDX-License-Identifier: Apache-2.0
"""Pooling: which rows answer a question, and the estimate they come to."""
