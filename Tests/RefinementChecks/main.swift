// Checks of training over ranks. Started as `mpirun -n P RefinementChecks NAME...`; without names it lists them.
import CheckSupport

runChecks([bitsCheck, learningCheck, refusalCheck], measure: measure)
