using System;
using Callsheet.Wire;

namespace Callsheet.Core
{
    /// <summary>Something an NPC wants to do. The game carries it out, or not, and says so once.</summary>
    public sealed class NpcAction
    {
        private const int MaxMessageChars = 1000;
        private readonly Session _session;
        private readonly long _number;

        internal NpcAction(Session session, Npc npc, ActionMessage message)
        {
            _session = session;
            _number = message.Action;
            Npc = npc;
            Name = message.Name;
            Arguments = message.Arguments;
        }

        /// <summary>Who acts.</summary>
        public Npc Npc { get; }

        /// <summary>Which action it is.</summary>
        public string Name { get; }

        /// <summary>An object, valid under the schema that the NPC's script registered.</summary>
        public JsonValue Arguments { get; }

        /// <summary>True once the server was told what became of it.</summary>
        public bool IsComplete { get; private set; }

        /// <summary>Tells what became of the action: the NPC remembers it, its script's mod is told.</summary>
        /// <param name="message">What happened, in one sentence; cut at 1,000 characters.</param>
        /// <exception cref="InvalidOperationException">It was told already.</exception>
        public void Complete(bool ok, string message = "")
        {
            if (IsComplete)
            {
                throw new InvalidOperationException("the result of action " + Name + " of " + Npc.Id + " was told already");
            }
            IsComplete = true;
            message = message ?? "";
            if (message.Length > MaxMessageChars)
            {
                int end = char.IsHighSurrogate(message[MaxMessageChars - 1]) ? MaxMessageChars - 1 : MaxMessageChars;
                message = message.Substring(0, end);
            }
            _session.Send(new ActionResultMessage { Action = _number, Ok = ok, Message = message });
        }
    }
}
