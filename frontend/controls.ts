// The player's controls: in a file of their own, which player.ts imports once the film is on its way.
import "./player/calm_bar";
import "./player/labels";
import "./player/parts";
