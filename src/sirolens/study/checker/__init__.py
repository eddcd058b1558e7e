# SPDX-License-Identifier: Apache-2.0
"""The report checker: whether the figures a paper prints can stand beside each other."""
