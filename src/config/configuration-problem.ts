import { StartProblem } from '../shared/start-problem';

/** Every fault of the environment at once, one line each: the variable's name, what it has to be, never its value. */
export class ConfigurationProblem extends StartProblem {}
