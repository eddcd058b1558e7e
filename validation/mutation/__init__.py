# SPDX-License-Identifier: Apache-2.0
"""Whether the tests of the response rules notice when a rule is changed."""
