"""The compiled measures; everything else is in pyproject.toml. Where there is no C compiler, the
package installs without them, and measures in Python.
"""

import sys

from setuptools import Extension, setup

#: Vector code without fused multiplications: the same values on every processor.
_FLAGS = "-O3 -ffp-contract=off -fno-math-errno -fno-trapping-math".split()

setup(
    ext_modules=[
        Extension(
            "dataprep.measures._kernel",
            ["dataprep/measures/kernel.c"],
            extra_compile_args=["/std:c11"] if sys.platform == "win32" else _FLAGS,
            py_limited_api=True,
            optional=True,
        )
    ],
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
)
