/**
 * What the built page tells the front end: one JSON block, written by sandbox/site/pages.py.
 * Starters and cells are not in it; they are the text of the page's own code blocks.
 */
import { all } from "./dom";

export interface ExerciseData {
  id: string;
  title: string;
  points: number;
  hints: string[];
  /** The reference answer as highlighted HTML, obfuscated (see solution.ts), or "". */
  solution: string;
  /** Failed attempts after which the solution opens; null: only when passed. */
  solutionAfter: number | null;
}

export interface PageData {
  /** The lab's slug, or a name of its own for a page outside the course. */
  slug: string;
  title: string;
  /** Changes whenever the lesson or a starter does. Work is stored under slug and version. */
  version: string;
  /** Of the world that the cells and the exercises' Run use. */
  seed: number;
  exercises: ExerciseData[];
}

/** The page's lesson, or null on a page without anything to run. */
export function readPage(): PageData | null {
  const node = document.getElementById("sandbox-page");
  return node ? (JSON.parse(node.textContent ?? "null") as PageData) : null;
}

/** One line of the course map. */
export interface MapLab {
  slug: string;
  title: string;
  minutes: number;
  exercises: { id: string; points: number }[];
}

/** The labs that the map on this page shows. */
export function readMap(): MapLab[] {
  return all("li[data-lab]").map((node) => JSON.parse(node.dataset.lab ?? "null") as MapLab);
}
