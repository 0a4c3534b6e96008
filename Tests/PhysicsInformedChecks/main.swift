// Checks of physics-informed training over ranks. Started as `mpirun -n P PhysicsInformedChecks NAME...`; without names it
// lists them.
import CheckSupport

runChecks([bitsCheck, systemsCheck, learningCheck, refusalCheck], measure: measure)
