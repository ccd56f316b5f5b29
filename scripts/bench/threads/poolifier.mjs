// @ts-check
import { ThreadWorker } from 'poolifier';
import * as handlers from './handlers.mjs';

// Its types want every function to be of one kind.
export default new ThreadWorker(/** @type {Record<string, any>} */ ({ ...handlers }));
