# SPDX-License-Identifier: Apache-2.0
"""PRISMA 2020: flow, table and checklist."""
