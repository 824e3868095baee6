using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using Callsheet.Core;
using Callsheet.Wire;
using UnityEngine;

namespace Callsheet
{
    /// <content>What can be said to an NPC and made known to it.</content>
    public sealed partial class CallsheetNpc
    {
        /// <summary>Says something as the local player, or as a narrator if there is none. Awaitable: the result is the text.</summary>
        /// <exception cref="CallsheetException">The text is empty or longer than 4,000 characters.</exception>
        public Reply Say(string text)
        {
            Npc npc = NeedActing();
            CallsheetPlayer player = Client.LocalPlayer;
            return player != null ? Say(text, player) : npc.Say(text);
        }

        /// <summary>Says something as a player.</summary>
        /// <exception cref="CallsheetException">The text is empty or longer than 4,000 characters.</exception>
        public Reply Say(string text, CallsheetPlayer player) =>
            SayAloud(text, new Speaker { Kind = SpeakerKind.Player, Id = player.Player.Id }, player.AudibleM);

        /// <summary>Says something as another NPC.</summary>
        /// <exception cref="CallsheetException">The text is empty or longer than 4,000 characters.</exception>
        public Reply Say(string text, CallsheetNpc speaker) =>
            SayAloud(text, new Speaker { Kind = SpeakerKind.Npc, Id = speaker.NpcId }, speaker.AudibleM);

        /// <summary>As <see cref="Say(string)"/>, cancelled with the token, in the next frame: the reply ends with what was said by then.</summary>
        /// <exception cref="CallsheetException">The text is empty or longer than 4,000 characters.</exception>
        public Reply Say(string text, CancellationToken cancelled)
        {
            Reply reply = Say(text);
            Client.CancelWith(reply, cancelled);
            return reply;
        }

        /// <summary>As <see cref="Say(string)"/>, with callbacks instead of an await.</summary>
        /// <exception cref="CallsheetException">The text is empty or longer than 4,000 characters.</exception>
        public Reply Say(string text, Action<string> done, Action<CallsheetError> failed = null)
        {
            Reply reply = Say(text);
            Action<Reply> complete = r =>
            {
                if (r.State == ReplyState.Failed)
                {
                    failed?.Invoke(r.Error);
                }
                else
                {
                    done?.Invoke(r.Text);
                }
            };
            if (reply.IsComplete)
            {
                complete(reply);
            }
            else
            {
                reply.Completed += complete;
            }
            return reply;
        }

        /// <summary>Makes it say a given line, without the model; NPCs within <see cref="CallsheetMover.Audible"/> overhear it.</summary>
        /// <exception cref="CallsheetException">The text is empty or longer than 4,000 characters.</exception>
        public Reply Speak(string text) => Need().Speak(text, AudibleM);

        /// <summary>Adds facts to what it knows, each at most 500 characters; 32 in all. A change while it is in the world reaches the server at once.</summary>
        /// <exception cref="CallsheetException">A fact is too long, or there are too many.</exception>
        public void Know(params string[] facts) => SetKnowledge(knowledge.Concat(facts).Distinct().ToArray());

        /// <summary>Takes facts away that <see cref="Know"/> or the inspector gave it. What it was told stays: see <see cref="Forget()"/>.</summary>
        public void KnowNoMore(params string[] facts) => SetKnowledge(knowledge.Except(facts).ToArray());

        /// <summary>Has it remember a line without an answer; a player says it, or no one in the world (null): thunder, a herald.</summary>
        /// <exception cref="CallsheetException">The text is empty or longer than 4,000 characters.</exception>
        public Answer<OkMessage> Hear(string text, CallsheetPlayer player = null)
        {
            var npcs = new[] { Need() };
            return player != null ? Client.World.Hear(npcs, text, player.Player) : Client.World.Hear(npcs, text);
        }

        /// <summary>Its id came from the name of the object, and from when it woke among others of that name.</summary>
        internal bool HasNumberedId => Npc != null && string.IsNullOrEmpty(npcId) && Client.World.FindNpc(Ids.Numbered(name, 2)) != null;

        /// <summary>Erases what it remembers, for good. An object that is disabled or destroyed forgets nothing.</summary>
        public Answer<OkMessage> Forget() => Forget(null);

        /// <summary>Erases what it remembers of what happened after a game time, s.</summary>
        public Answer<OkMessage> ForgetAfter(double gameTimeS) => Forget(gameTimeS);

        /// <summary>Tells the server what its [CallsheetAction] methods can do, if that is not what it was told last.</summary>
        internal void TellActions()
        {
            ActionSpec[] specs = Actions.Specs();
            string told = string.Concat(Array.ConvertAll(specs, spec => spec.Name + ": " + spec.Description + spec.Parameters + "\n"));
            if (told != _toldActions)
            {
                _toldActions = told;
                Npc.Update(new UpdateNpcMessage { ActionSpecs = specs });
            }
        }

        private void SetKnowledge(string[] facts)
        {
            string[] before = knowledge;
            knowledge = facts;
            try
            {
                Npc?.Update(new UpdateNpcMessage { Knowledge = AllKnowledge() });
            }
            catch (CallsheetException)
            {
                knowledge = before;
                throw;
            }
        }

        private string[] AllKnowledge() => Client.Settings.FactsOf(archetype).Concat(knowledge).Distinct().ToArray();

        private Reply SayAloud(string text, Speaker speaker, double? audibleM)
        {
            var say = new SayMessage { Text = text, Speaker = speaker, AudibleM = audibleM };
            return NeedActing().Say(say);
        }

        private Npc NeedActing()
        {
            Npc npc = Need();
            TellActions();
            return npc;
        }

        private Answer<OkMessage> Forget(double? afterS)
        {
            Npc npc = Need();
            return Client.World.Forget(npc.Id, afterS);
        }
    }
}
