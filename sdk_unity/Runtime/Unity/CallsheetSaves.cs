using System;
using System.Collections.Generic;
using Callsheet.Core;
using Callsheet.Wire;

namespace Callsheet
{
    /// <summary>
    /// What a game's save system calls: the NPCs' memory is saved and loaded along with the game, under one name.
    /// Each answer can be awaited, or yielded in a coroutine.
    /// </summary>
    public static class CallsheetSaves
    {
        /// <summary>Saves what the NPCs remember now, facts, schedules and the game's clock. A save of that name is replaced.</summary>
        /// <exception cref="CallsheetException">The name is empty or longer than 64 characters.</exception>
        public static Answer<SavedMessage> Save(string name) => World.Save(name);

        /// <summary>
        /// Goes back to a save: what was told since is not known any more. The game's clock goes on from the
        /// save's time; one that the game supplies as a delegate is for the game to set.
        /// </summary>
        /// <exception cref="CallsheetException">The name is empty or longer than 64 characters.</exception>
        public static Answer<LoadedMessage> Load(string name) => World.Load(name);

        /// <summary>Deletes a save, and from the disk what only it held.</summary>
        /// <exception cref="CallsheetException">The name is empty or longer than 64 characters.</exception>
        public static Answer<OkMessage> Delete(string name) => World.DeleteSave(name);

        /// <summary>The saves there are, the oldest first.</summary>
        public static Answer<IReadOnlyList<SaveView>> List() => World.ListSaves();

        private static GameWorld World
        {
            get
            {
                CallsheetClient client = CallsheetClient.Instance;
                return client != null ? client.World : throw new InvalidOperationException("the game is quitting");
            }
        }
    }
}
