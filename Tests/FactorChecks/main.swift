// Checks of solving with factors over ranks. Started as `mpirun -n P FactorChecks NAME...`; without names it lists them.
import CheckSupport

runChecks([solvingCheck, singularCheck, fallbackCheck, timingCheck])
