using System;
using Callsheet.Core;
using UnityEngine;
using UnityEngine.Events;

namespace Callsheet
{
    /// <summary>An event with a text, for the inspector.</summary>
    [Serializable]
    public sealed class TextEvent : UnityEvent<string>
    {
    }

    /// <summary>An event with an action of an NPC, for the inspector.</summary>
    [Serializable]
    public sealed class ActionEvent : UnityEvent<NpcAction>
    {
    }

    /// <summary>What the inspector of an NPC can wire up.</summary>
    [Serializable]
    public sealed class NpcEvents
    {
        [Tooltip("It begins to answer.")]
        public UnityEvent replyStarted = new UnityEvent();

        [Tooltip("The text so far, every time some is added: show it in a bubble.")]
        public TextEvent textChanged = new TextEvent();

        [Tooltip("The whole text, once the reply is complete.")]
        public TextEvent replyEnded = new TextEvent();

        [Tooltip("The reply failed; the text says why.")]
        public TextEvent replyFailed = new TextEvent();

        [Tooltip("It wants to act, and no [CallsheetAction] method on this object does it.")]
        public ActionEvent acted = new ActionEvent();
    }
}
