using UnityEngine;
using UnityEngine.Rendering;

namespace Callsheet.Samples
{
    /// <summary>Gives the object the plain material of the project's render pipeline; the built-in one is pink in others.</summary>
    [RequireComponent(typeof(Renderer))]
    public sealed class PipelineMaterial : MonoBehaviour
    {
        private void Awake()
        {
            RenderPipelineAsset pipeline = GraphicsSettings.currentRenderPipeline;
            if (pipeline != null)
            {
                GetComponent<Renderer>().sharedMaterial = pipeline.defaultMaterial;
            }
        }
    }
}
