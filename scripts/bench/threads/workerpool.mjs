// @ts-check
import { worker } from 'workerpool';
import * as handlers from './handlers.mjs';

worker({ ...handlers });
