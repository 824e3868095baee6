using System.Collections;
using Callsheet.Core;
using UnityEngine;

namespace Callsheet.Samples
{
    /// <summary>Now and then begins a talk with another villager in reach: each answers what the other has said.</summary>
    [RequireComponent(typeof(CallsheetNpc))]
    public sealed class Gossip : MonoBehaviour
    {
        [Tooltip("What it begins with; it is said as it stands, without the model.")]
        [SerializeField]
        private string opener = "Have you heard the news?";

        [Tooltip("How many answers follow.")]
        [Min(1)]
        [SerializeField]
        private int answers = 3;

        [Tooltip("Time between two talks, s. 0 = it begins none.")]
        [Min(0f)]
        [SerializeField]
        private float everyS = 0f;

        [Tooltip("How near the other must be, m.")]
        [Min(0f)]
        [SerializeField]
        private float reachM = 4f;

        private void OnEnable() => StartCoroutine(Run());

        private IEnumerator Run()
        {
            CallsheetNpc self = GetComponent<CallsheetNpc>();
            while (everyS > 0)
            {
                yield return new WaitForSeconds(everyS);
                CallsheetNpc other = Nearby.Nearest(transform.position, npc => npc != self && !IsTalking(npc) ? reachM : -1f);
                if (other != null && !IsTalking(self))
                {
                    yield return Talk(self, other);
                }
            }
        }

        private IEnumerator Talk(CallsheetNpc speaker, CallsheetNpc listener)
        {
            speaker.Speak(opener);
            string said = opener;
            for (int i = 0; i < answers && speaker != null && listener != null; i++)
            {
                Reply reply = listener.Say(said, speaker);
                yield return reply;
                if (reply.Text.Length == 0)
                {
                    yield break;
                }
                said = reply.Text;
                CallsheetNpc next = speaker;
                speaker = listener;
                listener = next;
            }
        }

        private static bool IsTalking(CallsheetNpc npc) => npc.Npc.LastReply != null && !npc.Npc.LastReply.IsComplete;
    }
}
