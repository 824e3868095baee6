using System;
using System.Collections.Generic;
using Callsheet.Wire;

namespace Callsheet.Core
{
    /// <content>What NPCs remember: saved, loaded, forgotten.</content>
    public sealed partial class GameWorld
    {
        private Answer<LoadedMessage> _load;

        /// <summary>A save was loaded: the game's clock may go on from this time, s.</summary>
        public event Action<double> Loaded;

        /// <summary>Marks what the world remembers now with a name: turns, facts, schedules, the game's clock. The answer comes when it is on the disk.</summary>
        /// <exception cref="CallsheetException">The name is empty or longer than 64 characters.</exception>
        public Answer<SavedMessage> Save(string name) => Request(new SaveMessage { Name = name }, m => (SavedMessage)m);

        /// <summary>
        /// Goes back to a save: what was told since is not known any more. Open replies end. Who is in the world
        /// stays; no tick is sent until the answer has come.
        /// </summary>
        /// <exception cref="CallsheetException">The name is empty or longer than 64 characters.</exception>
        public Answer<LoadedMessage> Load(string name)
        {
            var load = new LoadMessage { Name = name };
            _spawner.Check(load);
            var answer = new Answer<LoadedMessage>(m => (LoadedMessage)m);
            answer.Completed += OnLoaded;
            _load = answer;
            _session.Request(load, answer);
            return answer;
        }

        /// <summary>Deletes a save, and from the disk what only it held.</summary>
        /// <exception cref="CallsheetException">The name is empty or longer than 64 characters.</exception>
        public Answer<OkMessage> DeleteSave(string name) => Request(new DeleteSaveMessage { Name = name }, m => (OkMessage)m);

        /// <summary>The saves of this world, the oldest first.</summary>
        public Answer<IReadOnlyList<SaveView>> ListSaves() =>
            Request(new ListSavesMessage(), m => (IReadOnlyList<SaveView>)((SavesMessage)m).Saves);

        /// <summary>Erases what an NPC remembers: all of it, or what happened after a game time. It need not be in the world.</summary>
        /// <exception cref="CallsheetException">The id or the time breaks a rule of the protocol.</exception>
        public Answer<OkMessage> Forget(string npcId, double? afterS = null) =>
            Request(new ForgetMessage { Npcs = new[] { npcId }, AfterS = afterS }, m => (OkMessage)m);

        /// <summary>Erases what all NPCs remember that ever were in this world, or what happened after a game time.</summary>
        public Answer<OkMessage> ForgetEverything(double? afterS = null) => Request(new ForgetMessage { AfterS = afterS }, m => (OkMessage)m);

        /// <summary>Has NPCs remember a line without an answer, at most 32; a player says it.</summary>
        /// <exception cref="CallsheetException">The text is empty or longer than 4,000 characters, or there are too many NPCs or none.</exception>
        public Answer<OkMessage> Hear(IReadOnlyList<Npc> npcs, string text, Player speaker) =>
            Hear(npcs, text, new Speaker { Kind = SpeakerKind.Player, Id = speaker.Id });

        /// <summary>As <see cref="Hear(IReadOnlyList{Npc}, string, Player)"/>; an NPC says it.</summary>
        /// <exception cref="CallsheetException">The text is empty or longer than 4,000 characters, or there are too many NPCs or none.</exception>
        public Answer<OkMessage> Hear(IReadOnlyList<Npc> npcs, string text, Npc speaker) =>
            Hear(npcs, text, new Speaker { Kind = SpeakerKind.Npc, Id = speaker.Id });

        /// <summary>As <see cref="Hear(IReadOnlyList{Npc}, string, Player)"/>; no one in the world says it: thunder, a herald.</summary>
        /// <exception cref="CallsheetException">The text is empty or longer than 4,000 characters, or there are too many NPCs or none.</exception>
        public Answer<OkMessage> Hear(IReadOnlyList<Npc> npcs, string text) => Hear(npcs, text, new Speaker { Kind = SpeakerKind.Narrator });

        /// <summary>A tick sent before the answer would put the clock ahead again.</summary>
        private bool IsLoading => _load != null && !_load.IsComplete;

        private Answer<OkMessage> Hear(IReadOnlyList<Npc> npcs, string text, Speaker speaker)
        {
            var hear = new HearMessage { Npcs = Ids(npcs), Text = text, Speaker = speaker };
            _spawner.Check(hear);
            if (_session.State == SessionState.Open)
            {
                _spawner.Flush();
            }
            return Request(hear, m => (OkMessage)m);
        }

        private Answer<T> Request<T>(RequestMessage request, Func<ServerMessage, T> read)
        {
            var answer = new Answer<T>(read);
            _session.Request(request, answer);
            return answer;
        }

        private void OnLoaded(Answer<LoadedMessage> answer)
        {
            if (answer.Error == null)
            {
                _gameTimeS = answer.Result.TimeS;
                _keyframeIsDue = true;
                Loaded?.Invoke(answer.Result.TimeS);
            }
        }
    }
}
