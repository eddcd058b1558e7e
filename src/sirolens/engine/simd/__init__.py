# SPDX-License-Identifier: Apache-2.0
"""Integrates many patients of one network at once, eight to a vector, each with a time and step of its own."""
